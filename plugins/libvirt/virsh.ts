// virsh: several commands over one connection in one process, because a process costs ~30 ms and a command ~1 ms.
import { type Runner, SltvError } from 'sltv';
import { fail, inOurWords } from './errors.ts';

/** A virsh command and its words. */
export type Command = readonly string[];

export interface Patience {
  readonly signal: AbortSignal;
  /** Milliseconds for all commands together. */
  readonly deadline: number;
  /** They change a VM: a daemon that follows this one waits for them before it looks at what VMs have. */
  readonly changes?: boolean;
}

/**
 * Runs commands one after the other; answers with what they printed. Kinds: `unavailable` without virsh or libvirtd,
 * `timeout` after the deadline, and what `inOurWords` makes of virsh's words.
 */
export type Virsh = (commands: readonly Command[], patience: Patience) => Promise<string>;

/**
 * Every command is a `read` to the runner, also one that changes a VM: virsh is only libvirtd's client, and ending it ends
 * our waiting, not the change. So after a change that was not answered, look at what the VM has.
 */
export function createVirsh(run: Runner, uri: string): Virsh {
  return async (commands, { signal, deadline, changes = false }) => {
    const words = [`--connect=${uri}`, commands.map((command) => command.map(quoted).join(' ')).join('; ')];
    const options = { signal, timeout: deadline, ...(changes && { lock: 'virsh' }) };
    const done = await run.read('virsh', words, options).catch((error: unknown) => {
      throw error instanceof SltvError && error.kind === 'timeout' ? unanswered(commands, deadline, error) : error;
    });
    // The status is the last command's alone; a complaint of any of them is a failure.
    if (done.code !== 0 || /^error: /m.test(done.stderr)) throw inOurWords(done.stderr, uri);
    return done.stdout;
  };
}

/** virsh splits a line as a shell does, and knows no expansion: single quotes protect everything but themselves. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function unanswered(commands: readonly Command[], deadline: number, cause: SltvError): SltvError {
  const names = commands.map(([name]) => name).join(', ');
  return fail('no-answer', `libvirt did not answer within ${deadline / 1000} s (${names})`, {
    hint: 'a VM that hangs, or a start whose hook is still running, holds up libvirt: virsh list --all',
    cause,
  });
}
