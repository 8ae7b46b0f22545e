// The one kind of error that a user ever meets: closed kinds, open codes, a sentence, and what to do about it.

/** What went wrong, as callers branch on it. Closed: a new one changes the wire, the exit codes and docs/errors.md. */
export const KINDS = {
  invalid: { grpc: 3, exit: 2 },
  'not-found': { grpc: 5, exit: 3 },
  exists: { grpc: 6, exit: 4 },
  busy: { grpc: 10, exit: 5 },
  refused: { grpc: 9, exit: 6 },
  exhausted: { grpc: 8, exit: 7 },
  denied: { grpc: 7, exit: 8 },
  unsupported: { grpc: 12, exit: 9 },
  unavailable: { grpc: 14, exit: 10 },
  timeout: { grpc: 4, exit: 11 },
  cancelled: { grpc: 1, exit: 130 },
  internal: { grpc: 13, exit: 1 },
} as const satisfies Record<string, { grpc: number; exit: number }>;

export type Kind = keyof typeof KINDS;

// The keys of KINDS are the kinds.
export const KIND_NAMES = Object.keys(KINDS) as readonly Kind[];

/** The kind with that gRPC code; `internal` for a code that no kind has. */
export const kindOf = (grpc: number): Kind => KIND_OF_CODE.get(grpc) ?? 'internal';

const KIND_OF_CODE: ReadonlyMap<number, Kind> = new Map(KIND_NAMES.map((kind) => [KINDS[kind].grpc, kind]));

/** `hint`: what to do, most often a command to type. `cause`: the tool's own words, kept for the log. */
export interface ErrorDetail {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** By what an error of ours is known. */
const BRAND = Symbol.for('sltv.SltvError');

export class SltvError extends Error {
  /**
   * An error of another copy of this class is one, too: in the executable the command line and the rest are two scripts, and a
   * program may have two packages that each brought `sltv/client` along.
   */
  static override [Symbol.hasInstance](value: unknown): value is SltvError {
    return value instanceof Error && BRAND in value;
  }

  readonly kind: Kind;
  /** `<owner>/<what>`, such as `lvm/no-space`; listed in docs/errors.md. */
  readonly code: string;
  readonly hint: string | undefined;

  constructor(kind: Kind, code: string, message: string, detail: ErrorDetail = {}) {
    super(message, { cause: detail.cause });
    this.name = 'SltvError';
    this.kind = kind;
    this.code = code;
    this.hint = detail.hint;
  }

  get [BRAND](): true {
    return true;
  }
}

/** The codes of one owner, declared once: docs/errors.md and `sltv plugin list` are held to this value. */
export interface Errors<Ns extends string, C extends Readonly<Record<string, Kind>>> {
  (code: keyof C & string, message: string, detail?: ErrorDetail): SltvError;
  readonly namespace: Ns;
  readonly codes: C;
}

/** Makes the constructor for an owner's errors: `const fail = errors('lvm', { 'no-space': 'exhausted' })`. */
export function errors<const Ns extends string, const C extends Readonly<Record<string, Kind>>>(
  namespace: Ns,
  codes: C,
): Errors<Ns, C> {
  const fail = (code: keyof C & string, message: string, detail?: ErrorDetail) =>
    new SltvError(codes[code] ?? 'internal', `${namespace}/${code}`, message, detail);
  return Object.assign(fail, { namespace, codes });
}

/** Core's own codes. */
export const coreErrors = errors('core', {
  config: 'invalid',
  'config-missing': 'not-found',
  'config-untrusted': 'denied',
  input: 'invalid',
  'too-large': 'exhausted',
  'bad-size': 'invalid',
  'bad-name': 'invalid',
  'disk-missing': 'not-found',
  'disk-exists': 'exists',
  'disk-ambiguous': 'invalid',
  'disk-attached': 'refused',
  'disk-busy': 'busy',
  'disk-elsewhere': 'refused',
  'disk-claimed': 'busy',
  'disk-foreign': 'refused',
  'format-newer': 'unsupported',
  'format-unclear': 'refused',
  'image-unsafe': 'refused',
  'source-unstable': 'refused',
  'no-shrink': 'invalid',
  'pool-missing': 'not-found',
  'pool-exists': 'exists',
  'pool-reserve': 'exhausted',
  overcommit: 'exhausted',
  'vm-missing': 'not-found',
  'attachment-missing': 'not-found',
  'target-in-use': 'refused',
  'detach-unanswered': 'timeout',
  'node-fenced': 'refused',
  'node-missing': 'not-found',
  'service-missing': 'not-found',
  'node-up': 'refused',
  'node-in-use': 'refused',
  'fence-unproven': 'refused',
  'fence-failed': 'unavailable',
  'fence-unfinished': 'unavailable',
  'members-unproven': 'refused',
  'no-cluster': 'unsupported',
  unconfirmed: 'refused',
  'gate-refused': 'refused',
  'plugin-failed': 'internal',
  'request-reused': 'invalid',
  'no-provider': 'unsupported',
  'no-daemon': 'unavailable',
  stopping: 'unavailable',
  'no-tool': 'unavailable',
  'no-space': 'exhausted',
  'tool-failed': 'internal',
  timeout: 'timeout',
  cancelled: 'cancelled',
  denied: 'denied',
  'bad-socket': 'refused',
  'operation-missing': 'not-found',
  'tls-file': 'invalid',
  'bad-certificate': 'denied',
  'untrusted-daemon': 'refused',
  'needs-tls': 'invalid',
  overloaded: 'unavailable',
  'unknown-verb': 'invalid',
  unsupported: 'unsupported',
  internal: 'internal',
});

/** Turns whatever was thrown into an SltvError, so that every edge answers in one language. */
export function asSltvError(error: unknown): SltvError {
  if (error instanceof SltvError) return error;
  const aborted = error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
  if (aborted) {
    return error.name === 'TimeoutError'
      ? coreErrors('timeout', 'the deadline passed before the answer came', { cause: error })
      : coreErrors('cancelled', 'the call was cancelled', { cause: error });
  }
  return (
    fromSystem(error) ??
    fromDeno(error) ??
    coreErrors('internal', error instanceof Error ? error.message : String(error), { cause: error })
  );
}

/** What the file system refused for a reason that its administrator knows better than we. */
function fromSystem(error: unknown): SltvError | undefined {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error && 'path' in error)) return undefined;
  const { code, syscall, path } = error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return coreErrors('no-space', `the file system of ${path} is full`, { hint: `df -h ${path}`, cause: error });
  }
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') return undefined;
  return coreErrors('denied', `sltv may not ${syscall} ${path}`, {
    hint: code === 'EROFS' ? 'its file system is mounted read-only: findmnt' : 'run it as root, or see who may: ls -ld',
    cause: error,
  });
}

/** What Deno's command line did not permit; Deno's own words name the flag. */
function fromDeno(error: unknown): SltvError | undefined {
  if (!(error instanceof Error && error.name === 'NotCapable')) return undefined;
  const [, what = error.message, flag = '--allow-all'] =
    /^Requires (.*), run again with the (\S+) flag$/.exec(error.message) ?? [];
  return coreErrors('denied', `Deno does not let sltv have ${what}`, {
    hint: `deno run ${flag} …: docs/deno.md names what a daemon and what a client needs`,
    cause: error,
  });
}
