// What real lvm2 does with what it inherits.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLog } from '../../../core/log.ts';
import { createRunner, lockFile } from '../../../core/run.ts';
import { loopVg, never } from './fixture.ts';

test('a command that writes holds its lock when its daemon was killed, and the next daemon waits for its commit', async () => {
  await using vg = await loopVg();
  const lockDirectory = join(vg.directory, 'locks');
  const run = createRunner({ lockDirectory });
  // LVM's own lock: a command that waits for it has closed all that it closes.
  const held = await lockFile(join(vg.env.LVM_SYSTEM_DIR ?? '', 'lock', `V_${vg.name}`), never);
  const daemon = daemonThatMakes('made', vg, lockDirectory);
  await startedWaiting(daemon);
  daemon.kill('SIGKILL');
  await once(daemon, 'close');
  const lock = join(lockDirectory, `vg-${vg.name}.lock`);
  const { code } = await run.read('flock', ['-xn', lock, 'true'], { signal: never, timeout: 10_000 });
  assert.is(code, 1, 'nobody else gets the lock');
  const waited = run.orphans(createLog({ level: 'error', format: 'text', write: () => {} }), never);
  await held[Symbol.asyncDispose]();
  await waited;
  assert.match(await vg.lvm('lvs', '--noheadings', '-o', 'lv_name', vg.name), /made/);
});

/** A process of its own that makes a volume and waits for its end. */
function daemonThatMakes(
  volume: string,
  vg: { readonly name: string; readonly env: Readonly<Record<string, string>> },
  lockDirectory: string,
): ChildProcess {
  const words = ['lvcreate', '--yes', '-an', '-Zn', '-Wn', '-l1', '-n', volume, vg.name];
  const source = (path: string) => JSON.stringify(join(import.meta.dirname, '../../..', path));
  const program = `
    import { createRunner } from ${source('core/run.ts')};
    import { createLvm } from ${source('plugins/lvm/commands.ts')};
    const lvm = createLvm(createRunner({ lockDirectory: ${JSON.stringify(lockDirectory)} }));
    await lvm.commit(${JSON.stringify(words)}, undefined, { vg: ${JSON.stringify(vg.name)} });`;
  return spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...vg.env },
  });
}

/** Returns when a child of this process waits for a file lock. */
async function startedWaiting({ pid }: ChildProcess): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
    const locks = await readFile('/proc/locks', 'utf8');
    if (children.some((child) => new RegExp(`-> FLOCK +\\S+ +\\S+ ${child} `).test(locks))) return;
  }
  throw new Error('no child waits for a lock');
}

test.run();
