// A Runner whose processes run inside a host: a plugin under test needs no Node in there, where one starts in a second.
// It shares the repository's directories with the host, so files under `host.directory` are there by the same path.
import { constants } from 'node:os';
import { coreErrors } from '../../core/errors.ts';
import type { Finished, Runner } from '../../core/run.ts';
import type { Host } from './index.ts';

export function hostRunner(host: Host): Runner {
  return {
    async read(program, args, { signal, timeout }) {
      signal.throwIfAborted();
      const gone = Promise.withResolvers<never>();
      const leave = () => gone.reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
      const command = `timeout -s KILL ${timeout / 1000} ${commandLine(program, args)}`;
      try {
        const ended = host.run(command, { timeout: timeout + 30_000, allowFailure: true });
        const { code, stdout, stderr } = await Promise.race([ended, gone.promise]);
        if (code === 128 + constants.signals.SIGKILL) throw coreErrors('timeout', `${program} did not answer in time`);
        return { code, stdout, stderr, report: '' } satisfies Finished;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
    write: () => Promise.reject(new Error('nothing that is tested so writes')),
    async *lines(program, args, signal) {
      if (signal.aborted) return;
      const stream = host.start(`exec ${commandLine(program, args)}`);
      const stop = () => stream.kill();
      signal.addEventListener('abort', stop, { once: true });
      try {
        yield* stream;
      } finally {
        signal.removeEventListener('abort', stop);
        stop();
      }
    },
    orphans: async () => {},
    quiet: async () => {},
  };
}

function commandLine(program: string, args: readonly string[]): string {
  return ['env LC_ALL=C', program, ...args]
    .map((word, n) => (n === 0 ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
