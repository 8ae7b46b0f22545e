// Turning a host off from outside: the fence agents that cluster suites have used for twenty years (package fence-agents).
//
// An agent reads `key=value` lines from stdin until they end and does what `action` says. For `off` it waits until the host
// has no power, and its exit status 0 says that it has none; anything else proves nothing.
import { asSltvError, coreErrors } from '../errors.ts';
import type { Runner } from '../run.ts';

export interface FenceAgent {
  /** The agent and its words, such as `['fence_ipmilan']`. */
  readonly command: readonly string[];
  /** What it reads besides `action` and `plug`; `{node}` stands for the node's name, in values and in words. */
  readonly options: Readonly<Record<string, string>>;
  /** Milliseconds that it may take. */
  readonly timeout: number;
}

/** Has an agent turn a node off; what was proven, in a sentence. Errors: `core/fence-failed`, `core/no-tool`. */
export async function turnOff(run: Runner, agent: FenceAgent, node: string, signal: AbortSignal): Promise<string> {
  const [program = '', ...args] = agent.command.map((word) => named(word, node));
  const lines = Object.entries({ action: 'off', plug: node, nodename: node, ...agent.options });
  const input = lines.map(([key, value]) => `${key}=${named(value, node)}\n`).join('');
  const done = await run.read(program, args, { signal, timeout: agent.timeout, input }).catch((error: unknown) => {
    const { kind, message } = asSltvError(error);
    if (kind === 'timeout') throw failed(node, message, error);
    throw error;
  });
  if (done.code === 0) return `${program} turned it off`;
  throw failed(node, `${program} ended with ${done.code}: ${done.stderr.trim().split('\n').at(-1) ?? ''}`, done.stderr);
}

const named = (text: string, node: string): string => text.replaceAll('{node}', node);

const failed = (node: string, because: string, cause: unknown) =>
  coreErrors('fence-failed', `node ${node} could not be turned off: ${because}`, {
    hint: `when you have turned it off yourself: sltv node fence ${node} --by-hand`,
    cause,
  });
