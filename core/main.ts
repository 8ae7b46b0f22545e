// Where the executable begins, once it is asked for more than its version. What not every verb needs of Node is taken when it is
// needed, and not by `import()`, which a script that comes from the executable's assets can't do.
import { constants } from 'node:os';
import { cli, type Local } from './cli/index.ts';
import type { Process } from './local.ts';

/** Does what the words after `sltv` say; `loadLocal` loads what its own process has to do, when a verb asks for it. */
export async function main(
  argv: readonly string[],
  version: string,
  loadLocal: () => Promise<(version: string, process: Process) => Local>,
): Promise<void> {
  // A log that nobody reads any more stops no daemon.
  process.stderr.on('error', () => {});
  process.exitCode = await cli(argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    isTTY: process.stdout.isTTY ?? false,
    signal: interrupted(),
    async pause(milliseconds, signal) {
      const { setTimeout: sleep } = process.getBuiltinModule('node:timers/promises');
      await sleep(milliseconds, undefined, { signal });
    },
    async ask(question, signal) {
      if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
      const { createInterface } = process.getBuiltinModule('node:readline/promises');
      using terminal = createInterface({ input: process.stdin, output: process.stderr });
      return await terminal.question(`sltv: ${question}`, { signal });
    },
    version,
    async local() {
      const local = await loadLocal();
      const { env, stdin, stderr } = process;
      return local(version, { env, stdin, stderr, executable: await executablePath(argv) });
    },
  });
  // Nothing should be left to wait for; what is left anyway must not keep a finished command from ending.
  setTimeout(() => process.exit(), LINGER).unref();
}

/** Milliseconds. */
const LINGER = 200;

function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // Not `once`: it would be gone when execa's listener counts the others, which then takes the signal for unheard and
    // ends this process by it, as long as a child runs.
    process.on(name, () => {
      // Whoever asks a second time is not made to wait.
      if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
      controller.abort();
    });
  }
  return controller.signal;
}

/** What a hypervisor's script can call: the executable, or the script that a runtime was given. */
async function executablePath(argv: readonly string[]): Promise<string> {
  const isExecutable = process.getBuiltinModule('node:sea')?.isSea() ?? false;
  const { realpath } = process.getBuiltinModule('node:fs/promises');
  return isExecutable ? process.execPath : await realpath(argv[1] ?? process.execPath);
}
