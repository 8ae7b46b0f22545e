// Shells that wait to become a command. To start a process is to copy the daemon's memory map, which takes longer the more it
// holds, so it is done before anybody waits for it (decision 16).
import { setImmediate } from 'node:timers/promises';
import { type Child, type Finished, notStarted, type Start, type StartOptions, startChild } from './child.ts';

/** What a command has as its descriptor 0: nothing, or a lock's file. */
type Stdin = number | 'ignore';

export interface ReadyShells {
  /** Has shells with this descriptor wait from now on. */
  keep(stdin: Stdin): void;
  /** Ends those that wait with it, for each has what it stands for, such as a lock; before it is closed. */
  drop(stdin: Stdin): void;
  /** A shell becomes the program, where one with that descriptor is ready; else it is started. */
  readonly start: Start;
}

/** How many commands of one kind follow each other: those of an attach. */
const COUNT = 5;

/** Milliseconds without any command before shells are made: while one runs, that would take time from it. */
const REST = 250;

/** `directory`: where the files of their output are. None waits until it is said with which descriptor. */
export function createReadyShells(directory: string): ReadyShells {
  const waiting = new Map<Stdin, Child[]>();
  let running = 0;
  let rest: NodeJS.Timeout | undefined;

  function fillAtRest(): void {
    clearTimeout(rest);
    if (running === 0) rest = setTimeout(fill, REST).unref();
  }

  /** One after another, with a moment for all else between them, until a command begins. */
  async function fill(): Promise<void> {
    for (const [stdin, shells] of waiting) {
      for (let missing = COUNT - shells.length; missing > 0 && running === 0; missing -= 1) {
        if (waiting.get(stdin) !== shells) break;
        add(shells, stdin);
        await setImmediate();
      }
    }
  }

  function add(shells: Child[], stdin: Stdin): void {
    try {
      const shell = startShell(directory, stdin);
      shells.push(shell);
      const forget = () => void remove(shells, shell);
      shell.ended.then(forget, forget);
    } catch {
      // No file, no process: the command that needs one says so.
    }
  }

  function become(program: string, args: readonly string[], { stdin, env }: StartOptions): Child | undefined {
    const shell = waiting.get(stdin)?.shift();
    if (shell === undefined) return undefined;
    shell.process.ref();
    shell.process.stdin?.end(scriptOf(program, args, env, stdin === 'ignore' ? '/dev/null' : '&4 4<&-'));
    return { process: shell.process, ended: shell.ended.then((done) => found(program, done)) };
  }

  return {
    keep(stdin) {
      waiting.set(stdin, []);
      fillAtRest();
    },
    drop(stdin) {
      for (const shell of waiting.get(stdin) ?? []) shell.process.stdin?.destroy();
      waiting.delete(stdin);
    },
    start(program, args, options) {
      const child = become(program, args, options) ?? startChild(program, args, { directory, ...options });
      running += 1;
      clearTimeout(rest);
      const end = () => {
        running -= 1;
        fillAtRest();
      };
      child.ended.then(end, end);
      return child;
    },
  };
}

/** It ends with the input that it waits for, and so with this process, however that ends. */
function startShell(directory: string, stdin: Stdin): Child {
  // The last word is for whoever looks at the list of processes.
  const shell = startChild('sh', ['-s', 'sltv-ready'], {
    directory,
    stdin: 'pipe',
    ...(stdin !== 'ignore' && { fourth: stdin }),
  });
  shell.process.unref();
  // Of a shell that is gone its status says more.
  shell.process.stdin?.on('error', () => {});
  return shell;
}

function remove<T>(list: T[], one: T): void {
  const index = list.indexOf(one);
  if (index >= 0) list.splice(index, 1);
}

/** One line, which a shell reads as a whole before it does anything: its own input changes in the middle of it. */
function scriptOf(program: string, args: readonly string[], env: StartOptions['env'] = {}, stdin: string): string {
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}; `);
  return `${exports.join('')}exec ${[program, ...args].map(quoted).join(' ')} <${stdin}\n`;
}

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** A shell that finds no such program says so itself, and ends. */
function found(program: string, done: Finished): Finished {
  if ((done.code === 126 || done.code === 127) && /^sh: .*\bexec: /.test(done.stderr)) throw notStarted(program);
  return done;
}
