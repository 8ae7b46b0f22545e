// A child that is listened to for as long as it has something to tell.
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { LOCALE, notStarted } from './child.ts';

/** Errors: `core/no-tool`. The signal ends the child, and so does a reader that leaves. */
export async function* linesOf(program: string, args: readonly string[], signal: AbortSignal): AsyncIterable<string> {
  const left = new AbortController();
  const child = execa(program, args, {
    reject: false,
    stdin: 'ignore',
    // Nobody reads it, and a full pipe would stop the child.
    stderr: 'ignore',
    buffer: false,
    cancelSignal: AbortSignal.any([signal, left.signal]),
    forceKillAfterDelay: 500,
    env: LOCALE,
  });
  try {
    // Not execa's own iterable: it waits for the child's end also when its reader has left.
    yield* createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
    const result = await child;
    if (result.exitCode === undefined && result.signal === undefined && !signal.aborted) {
      throw notStarted(program, result.cause);
    }
  } finally {
    left.abort();
    await child;
  }
}
