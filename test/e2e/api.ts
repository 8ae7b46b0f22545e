// The daemon's JSON from inside a host, as any client may speak it, with request ids of the caller's choice.
import * as v from 'valibot';
import { MiB } from '../../core/units.ts';
import type { Host } from '../testbed/index.ts';

const Disk = v.object({
  name: v.string(),
  vg: v.string(),
  mode: v.string(),
  sizeBytes: v.string(),
  virtualSizeBytes: v.string(),
  devicePath: v.string(),
  state: v.string(),
  vmUuid: v.string(),
  targetDev: v.string(),
});
export type Disk = v.InferOutput<typeof Disk>;

/** So many MiB, as the JSON has sizes. */
export const bytes = (mebibytes: number): string => String(BigInt(mebibytes) * MiB);

export interface Request {
  /** A method of sltv.v1.Sltv. */
  readonly method: string;
  readonly body: object;
  readonly id?: string;
}

export interface Answer {
  /** HTTP's. */
  readonly status: number;
  readonly text: string;
}

const SOCKET = '/run/sltv/sltvd.sock';

/** The shell words that ask; they print the answer, and its status in a last line. */
export function asking({ method, body, id }: Request): string {
  const header = id === undefined ? '' : `-H 'sltv-request-id: ${id}'`;
  const data = JSON.stringify(body).replaceAll("'", "'\\''");
  return `curl -sS --unix-socket ${SOCKET} -H 'content-type: application/json' ${header} -w '\\n%{http_code}' -d '${data}' http://sltv/sltv.v1.Sltv/${method}`;
}

/** What `asking` printed. */
export function readAnswer(printed: string): Answer {
  const at = printed.lastIndexOf('\n');
  return { status: Number(printed.slice(at + 1)), text: printed.slice(0, at) };
}

/** Asks, and gives back whatever is answered. */
export async function ask(host: Host, request: Request): Promise<Answer> {
  return readAnswer((await host.run(asking(request), { timeout: 240_000 })).stdout);
}

/** Asks; anything but success is thrown. */
export async function succeed(host: Host, request: Request): Promise<string> {
  const { status, text } = await ask(host, request);
  if (status !== 200) throw host.fail(`${request.method} ${JSON.stringify(request.body)}: ${status} ${text}`);
  return text;
}

export async function disks(host: Host): Promise<readonly Disk[]> {
  const text = await succeed(host, { method: 'ListDisks', body: {} });
  return v.parse(v.pipe(v.string(), v.parseJson(), v.object({ disks: v.array(Disk) })), text).disks;
}

/** With what its VM really has: `conflict` shows here. */
export async function disk(host: Host, name: string): Promise<Disk> {
  const text = await succeed(host, { method: 'GetDisk', body: { name } });
  return v.parse(v.pipe(v.string(), v.parseJson(), Disk), text);
}

/** Waits until no disk is in the middle of an operation. */
export async function atRest(host: Host): Promise<void> {
  const isBusy = `${asking({ method: 'ListDisks', body: {} })} | grep -q '"state":"[a-z]*ing"'`;
  await host.run(`for n in $(seq 200); do ${isBusy} || exit 0; sleep 0.3; done; exit 1`, { timeout: 240_000 });
}
