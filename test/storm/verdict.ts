// What a storm has shown, in words.
import type { Verdict } from './rounds.ts';

export function tell({ rounds, counts, faults, wrong }: Verdict, seed: string, say: (line: string) => void): void {
  const { acknowledged, commits, failed, cutOff } = counts;
  say(
    `seed ${seed}: ${rounds} rounds, ${acknowledged} operations acknowledged in ${commits} commits, ${cutOff} cut off`,
  );
  for (const [code, times] of [...failed].toSorted(([, a], [, b]) => b - a)) say(`  failed: ${times} × ${code}`);
  for (const [name, { tried, hit }] of faults) if (tried > 0) say(`  hit: ${hit} of ${tried} × ${name}`);
  const hits = [...faults.values()].reduce((sum, { hit }) => sum + hit, 0);
  say(`${hits} faults hit; lost updates found: ${wrong.length}`);
  for (const sentence of wrong) say(`  WRONG ${sentence}`);
}
