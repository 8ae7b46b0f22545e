// What the values in the store are. Keys that a newer version added are let be.
import { v } from 'sltv';
import { fail } from './errors.ts';
import type { Entry } from './kv.ts';

const Token = v.pipe(
  v.string(),
  v.regex(/^\d+$/),
  v.transform((digits) => BigInt(digits)),
);
const Time = v.pipe(
  v.string(),
  v.isoTimestamp(),
  v.transform((text) => new Date(text)),
);

/** Which cluster this is, as in `etcd/<id>`. */
export const ClusterId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.:-]+$/));

/** Which life of the store: only `cluster recover` begins another. */
export const Generation = v.object({ n: v.number(), uuid: v.string() });

export const Halted = v.object({ because: v.string(), by: v.string(), since: Time });

/** Who may be writing. */
export const Held = v.object({
  node: v.string(),
  boot: v.string(),
  /** One process, and its id and the time of its start, which together tell on its host whether it lives. */
  instance: v.string(),
  pid: v.number(),
  started: v.string(),
  token: Token,
  since: Time,
  /** Under which lock of its host its commands run; they may outlive it. */
  children: v.optional(v.string()),
  /** The instance's how many-th, so that one that was given up is never taken for a later one. */
  attempt: v.number(),
});

export const Mark = v.object({
  mark: v.optional(v.string()),
  /** The highest that a lock of this name had. */
  token: Token,
  isOrderly: v.boolean(),
});

export const LastBoot = v.object({ boot: v.string(), machineId: v.string() });

/** A daemon that is there. */
export const Present = v.object({ boot: v.string(), instance: v.string() });

export const KnownMember = v.object({
  boot: v.string(),
  version: v.string(),
  format: v.number(),
  addresses: v.array(v.string()),
  pools: v.array(v.object({ name: v.string(), id: v.string(), trouble: v.optional(v.string()) })),
  lastSeen: Time,
  /** It was taken out of the members. The entry stays, so that its daemon can tell that from a store that forgot. */
  isRetired: v.boolean(),
});

export const Over = v.object({ proof: v.string(), since: Time });

export const Asked = v.object({
  by: v.object({ node: v.string(), boot: v.string() }),
  question: v.string(),
  asked: v.unknown(),
  /** The asker's: the answer needs no longer life than who waits for it. */
  lease: v.string(),
});

const KINDS = [
  ...(['invalid', 'not-found', 'exists', 'busy', 'refused', 'exhausted', 'denied', 'unsupported'] as const),
  ...(['unavailable', 'timeout', 'cancelled', 'internal'] as const),
];
export const Answered = v.union([
  v.object({ value: v.unknown() }),
  v.object({
    error: v.object({ kind: v.picklist(KINDS), code: v.string(), message: v.string(), hint: v.optional(v.string()) }),
  }),
]);

/** Reads a value; undefined when there is none. Errors: `etcd-lock/bad-entry`. */
export function read<S extends v.GenericSchema>(schema: S, entry: Entry | undefined): v.InferOutput<S> | undefined {
  if (entry === undefined) return undefined;
  const result = v.safeParse(schema, parsed(entry.value));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw fail('bad-entry', `what etcd has at ${entry.key} can't be read: ${issue.message}`, {
    hint: `etcdctl get ${entry.key}; a newer sltv on another host may have written it`,
    cause: entry.value,
  });
}

/** A value as it is stored: JSON, and integers of any size. */
export function written(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
