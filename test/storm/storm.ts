// npm run storm -- [--minutes 10] [--seed WORD] [--hosts 3] [--ttl 2] [--only WORD-OF-A-FAULT] [--without locks|records]
import { parseArgs } from 'node:util';
import { withoutLocks, withoutRecords } from './controls.ts';
import { storm } from './rounds.ts';
import { keepTraces } from './traces.ts';
import { tell } from './verdict.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: Math.random().toString(36).slice(2, 10) },
    hosts: { type: 'string', default: '3' },
    ttl: { type: 'string', default: '2' },
    only: { type: 'string' },
    without: { type: 'string' },
  },
});
const { seed, without, only } = values;
const say = (line: string) => console.log(line);

if (without === undefined) {
  const options = {
    seed,
    only,
    seconds: Number(values.minutes) * 60,
    hosts: Number(values.hosts),
    ttl: Number(values.ttl),
  };
  say(`seed ${seed}`);
  const verdict = await storm({ ...options, say, keep: (world) => keepTraces(world, seed, say) });
  tell(verdict, seed, say);
  process.exitCode = verdict.wrong.length === 0 ? 0 : 1;
} else {
  const control = { locks: withoutLocks, records: withoutRecords }[without];
  if (!control) throw new Error(`--without ${without}: there is locks, and records`);
  const { lost } = await control({ seed, say });
  process.exitCode = lost.length > 0 ? 0 : 1;
}
