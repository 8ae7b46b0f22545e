// What went wrong on the way to the daemon or in it, as an SltvError.
import { statSync } from 'node:fs';
import { asSltvError, coreErrors, KIND_NAMES, type Kind, SltvError } from '../errors.ts';
import { parseAddress } from './address.ts';
import { handshakeFailure } from './handshake.ts';

/** The daemon's refusal of a call: Connect's error JSON. */
export function refusedBy(addr: string, status: number | undefined, body: string): SltvError {
  const said = readObject(body);
  if (typeof said?.code === 'string') return wireError(said);
  return coreErrors('no-daemon', `what answers on ${addr} is not sltv (HTTP status ${status})`, {
    hint: 'give the address of the daemon with --addr or SLTV_ADDR',
    cause: body.slice(0, 200),
  });
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Reads `{ code, message, details }` as Connect writes errors. */
export function wireError(said: Readonly<Record<string, unknown>>): SltvError {
  const kind = KIND_OF_CODE[String(said.code)] ?? 'internal';
  const details = Array.isArray(said.details) ? said.details : [];
  const detail = details.find((each) => isObject(each) && each.type === 'sltv.v1.ErrorInfo');
  const [code, hint] = isObject(detail) ? readErrorInfo(String(detail.value)) : [];
  return new SltvError(kind, code || `core/${kind}`, String(said.message ?? said.code), {
    hint: hint || undefined,
  });
}

const CONNECT_CODES: Readonly<Record<Kind, string>> = {
  invalid: 'invalid_argument',
  'not-found': 'not_found',
  exists: 'already_exists',
  busy: 'aborted',
  refused: 'failed_precondition',
  exhausted: 'resource_exhausted',
  denied: 'permission_denied',
  unsupported: 'unimplemented',
  unavailable: 'unavailable',
  timeout: 'deadline_exceeded',
  cancelled: 'canceled',
  internal: 'internal',
};

const KIND_OF_CODE: Readonly<Record<string, Kind>> = Object.fromEntries(
  KIND_NAMES.map((kind) => [CONNECT_CODES[kind], kind]),
);

/** `sltv.v1.ErrorInfo` has two texts, code = 1 and hint = 2: not worth loading a protobuf library for. */
function readErrorInfo(base64: string): [code: string, hint: string] {
  const bytes = Buffer.from(base64, 'base64');
  const texts: [string, string] = ['', ''];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] ?? 0;
    let length = 0;
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = bytes[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
    }
    const value = bytes.toString('utf8', at, at + length);
    if (tag === 0x0a) texts[0] = value;
    if (tag === 0x12) texts[1] = value;
    at += length;
  }
  return texts;
}

export interface Waiting {
  readonly addr: string;
  /** Milliseconds. */
  readonly timeout: number | undefined;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  readonly clock: AbortSignal | undefined;
}

/** Why a call has no answer, with what to do about it. */
export function notReached(error: unknown, { addr, timeout, signal, clock }: Waiting): SltvError {
  if (error instanceof SltvError) return error;
  if (signal?.aborted) {
    return coreErrors('cancelled', 'the call was cancelled', {
      hint: 'what the daemon has begun to write it finishes',
      cause: error,
    });
  }
  if (clock?.aborted) {
    return coreErrors('timeout', `the daemon on ${addr} did not answer within ${timeout} ms`, {
      hint: 'wait longer with --timeout; what the daemon has begun to write it finishes',
      cause: error,
    });
  }
  // What Deno forbids never reached the daemon.
  if (error instanceof Error && error.name === 'NotCapable') return asSltvError(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return handshakeFailure(error, addr) ?? (UNREACHED[code] ?? lostConnection)(addr, error);
}

function noDaemon(addr: string, cause: unknown): SltvError {
  const target = parseAddress(addr);
  if ('host' in target) return nobodyAt(target.host, addr, cause);
  const there = statSync(target.socketPath, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSocket()) {
    return coreErrors(
      'no-daemon',
      `${addr} is ${there.isDirectory() ? 'a directory' : 'a file'}, not a daemon's socket`,
      {
        hint: "give the socket's path with --addr or SLTV_ADDR",
        cause,
      },
    );
  }
  return coreErrors('no-daemon', `no daemon answers on ${addr}`, {
    hint: 'systemctl start sltv, or sltv daemon',
    cause,
  });
}

function nobodyAt(host: string, addr: string, cause: unknown): SltvError {
  const isUnknown = cause instanceof Error && 'code' in cause && /^(ENOTFOUND|EAI_AGAIN)$/.test(String(cause.code));
  if (isUnknown) {
    return coreErrors('no-daemon', `this host knows no address of ${host}`, { hint: `getent hosts ${host}`, cause });
  }
  return coreErrors('no-daemon', `no daemon answers on ${addr}`, {
    hint: 'look on that host: systemctl status sltv; its sltv.config.ts needs a listener with tcp, and its firewall the port',
    cause,
  });
}

const closedSocket = (addr: string, cause: unknown) =>
  coreErrors('denied', `you may not open ${addr}`, {
    hint: "become a member of the socket's group (ls -l shows it), or run this as root",
    cause,
  });

const lostConnection = (addr: string, cause: unknown) =>
  coreErrors('no-daemon', `the daemon on ${addr} went away before it answered`, {
    hint: 'look at what has been done (sltv disk list), then repeat the command',
    cause,
  });

const UNREACHED: Readonly<Record<string, typeof noDaemon>> = {
  ENOENT: noDaemon,
  ECONNREFUSED: noDaemon,
  ENOTFOUND: noDaemon,
  EAI_AGAIN: noDaemon,
  EHOSTUNREACH: noDaemon,
  ENETUNREACH: noDaemon,
  ETIMEDOUT: noDaemon,
  EACCES: closedSocket,
  EPERM: closedSocket,
};
