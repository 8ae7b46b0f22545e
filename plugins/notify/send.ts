// How an event reaches a target: on a program's stdin, or by POST.
import type { Runner, Told } from 'sltv';
import type { Target } from './index.ts';

export interface Sending {
  /** Who tells. */
  readonly node: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly run: Pick<Runner, 'read'>;
}

/** Tells one event; throws where the program ends with another status than 0, or the answer is no success. */
export function sendTo(target: Target, sending: Sending): (told: Told, signal: AbortSignal) => Promise<void> {
  const { command, url, headers = {} } = target;
  return url === undefined
    ? (told, signal) => callProgram(command ?? [], told, sending, signal)
    : (told, signal) => post(url, headers, told, sending, signal);
}

async function callProgram(
  [program = '', ...args]: readonly string[],
  told: Told,
  { node, timeout, run }: Sending,
  signal: AbortSignal,
): Promise<void> {
  const env = {
    SLTV_EVENT: told.type,
    SLTV_EVENT_SUBJECT: told.subject,
    SLTV_EVENT_MESSAGE: told.message,
    SLTV_EVENT_NODE: node,
  };
  const { code, stderr } = await run.read(program, args, { signal, timeout, env, input: `${written(told, node)}\n` });
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr.trim().slice(0, SHOWN)}`);
}

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  told: Told,
  { node, timeout }: Sending,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: written(told, node),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
  });
  // Unread it would keep its connection.
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
}

/** Characters of a program's complaint that the log shows. */
const SHOWN = 500;

/** As `sltv events --json` has it, with the node that tells. */
function written({ type, time, subject, message, values = {} }: Told, node: string): string {
  const words = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  return JSON.stringify({ node, time: time.toISOString(), type, subject, message, values: words });
}
