// What is kept of a storm that went wrong: what the hosts wrote down, their logs, and lvm's archives.
import { cp, mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { World } from './world.ts';

export async function keepTraces({ ground }: World, seed: string, say: (line: string) => void): Promise<void> {
  const folder = resolve('.cache/storm', seed);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(ground.directory)) {
    if (/\.(ledger|log|out)$/.test(name)) await cp(join(ground.directory, name), join(folder, name));
    if (!/^host\d+$/.test(name)) continue;
    for (const kind of ['archive', 'backup']) {
      await cp(join(ground.directory, name, kind), join(folder, name, kind), { recursive: true }).catch(() => {});
    }
  }
  say(`what there is to look at: ${folder}`);
}
