// A Runner that starts nothing, and a virsh on top of it.
import type { Runner } from '../../../core/run.ts';

/** What a process says: its output, or all of it, or an error that the runner throws. */
export type Said = string | { readonly stdout: string; readonly stderr: string; readonly code: number } | Error;

/** Answers reads from `answer`, which gets virsh's own line; `lines` tells what `tell` yields. */
export function stubRunner(
  answer: (line: string, signal: AbortSignal) => Said | Promise<Said>,
  tell: (signal: AbortSignal) => AsyncIterable<string> = async function* () {},
) {
  const asked: (readonly string[])[] = [];
  const run: Runner = {
    async read(program, args, { signal }) {
      signal.throwIfAborted();
      asked.push([program, ...args]);
      const said = await answer(args.at(-1) ?? '', signal);
      if (said instanceof Error) throw said;
      const { stdout, stderr, code } = typeof said === 'string' ? { stdout: said, stderr: '', code: 0 } : said;
      return { code, stdout, stderr, report: '' };
    },
    write: () => Promise.reject(new Error('virsh is never a writer')),
    lines: (_program, _args, signal) => tell(signal),
    orphans: async () => {},
    quiet: async () => {},
  };
  return { run, asked };
}
