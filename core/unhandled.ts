// What nobody caught, in the daemon: told of by the name of who let it go, and the end of the process only where that was core.
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Behalf } from './kernel/behalf.ts';
import type { Log } from './log.ts';

/**
 * Guests depend on this process: what a plugin drops, or lets a timer throw, ends nothing. What core itself throws where nobody
 * catches it leaves core in a state that nobody knows: the process ends with 1, and systemd starts another.
 */
export function surviveUnhandled(behalf: Behalf, log: Log): void {
  const tell = (what: string, error: unknown): { readonly isPlugins: boolean } => {
    const plugin = behalf.current();
    const stack = error instanceof Error ? error.stack : undefined;
    const file = strangerIn(stack ?? '', programFolder());
    const who = plugin === undefined ? file && `code of ${file}` : `plugin ${plugin}`;
    log.error(who === undefined ? what : `${who}: ${what}`, { plugin, error, stack });
    return { isPlugins: who !== undefined };
  };
  process.on('unhandledRejection', (error) => tell('a failure was left unhandled', error));
  process.on('uncaughtException', (error) => {
    if (!tell('an error was thrown where nobody catches it', error).isPlugins) process.exit(1);
  });
}

/**
 * The first file of a stack that is none of this program's: that of a provider, which core calls on its callers' behalf.
 * `program`: the URL of the folder that has the program's own files; undefined where they are all inside the executable.
 */
export function strangerIn(stack: string, program: string | undefined): string | undefined {
  const files = [...stack.matchAll(/file:\/\/[^\s()]+?(?=:\d)/g)].map(([url]) => url);
  return files.find((url) => program === undefined || !url.startsWith(program));
}

function programFolder(): string | undefined {
  const isExecutable = process.getBuiltinModule('node:sea')?.isSea() ?? false;
  return isExecutable ? undefined : pathToFileURL(`${dirname(process.argv[1] ?? '/')}/`).href;
}
