// The transactions by which a process is there, a node is a member, and a store begins, halts and is recovered. Pure.
import { type Judgement, judge, type Remembered } from './generation.ts';
import type { AllKeys } from './keys.ts';
import type { Compare, Entry, Op, Outcome, Txn } from './kv.ts';
import type { Self } from './protocol.ts';
import {
  ClusterId,
  Generation,
  Halted,
  Held,
  KnownMember,
  LastBoot,
  Mark,
  Over,
  Present,
  read,
  written,
} from './stored.ts';

/** All that decides whether a process may take part. */
export interface Standing {
  readonly clusterId: Entry | undefined;
  readonly generation: { readonly entry: Entry; readonly n: number; readonly uuid: string } | undefined;
  readonly halted: { readonly because: string; readonly by: string; readonly since: Date } | undefined;
  /** The boot in which this node was seen last, and on which machine. */
  readonly last: { readonly entry: Entry; readonly boot: string; readonly machineId: string } | undefined;
  /** The daemon that is there under this node's name. */
  readonly present: { readonly boot: string; readonly instance: string } | undefined;
  readonly member: { readonly entry: Entry; readonly isRetired: boolean } | undefined;
  readonly ownOver: string | undefined;
  readonly spoken: bigint | undefined;
  readonly revision: bigint;
}

/** `spokenAt`: a key that must not be older than it is remembered. */
export function lookAround(keys: AllKeys, { node, boot }: Self, spokenAt: string): Txn {
  const all = [keys.cluster, keys.generation, keys.halted, keys.boot(node), keys.node(node), keys.member(node)];
  return { when: [], act: [...all, keys.over(node, boot), spokenAt].map((key) => ({ get: { key } })), otherwise: [] };
}

export function standingIn({ found, revision }: Outcome): Standing {
  const [clusterId, generation, halted, last, present, member, over, spoken] = found.map(([entry]) => entry);
  const told = read(Generation, generation);
  const boot = read(LastBoot, last);
  const known = read(KnownMember, member);
  return {
    clusterId,
    generation: generation && told && { entry: generation, ...told },
    halted: read(Halted, halted),
    last: last && boot && { entry: last, ...boot },
    present: read(Present, present),
    member: member && known && { entry: member, isRetired: known.isRetired },
    ownOver: read(Over, over)?.proof,
    spoken: spoken?.mod,
    revision,
  };
}

export function judgeStanding(remembered: Remembered | undefined, standing: Standing): Judgement {
  return judge(remembered, {
    clusterId: read(ClusterId, standing.clusterId),
    generation: standing.generation,
    revision: standing.revision,
    spoken: standing.spoken,
  });
}

/** Makes an empty store a cluster's. */
export function begin(keys: AllKeys, clusterId: string, uuid: string): Txn {
  const absent = [keys.cluster, keys.generation, keys.halted].map((key) => ({ key, is: 'absent' as const }));
  return {
    when: absent,
    act: [
      { put: { key: keys.cluster, value: written(clusterId) } },
      { put: { key: keys.generation, value: written({ n: 1, uuid }) } },
    ],
    otherwise: [],
  };
}

const asSeen = (keys: AllKeys, { clusterId, generation }: Standing): readonly Compare[] => [
  { key: keys.cluster, mod: clusterId?.mod ?? 0n },
  { key: keys.generation, mod: generation?.entry.mod ?? 0n },
];

/** Stops all locks, for what was found in this very store: one that was recovered meanwhile is let be. */
export function halt(keys: AllKeys, self: Self, standing: Standing, because: string, since: Date): Txn {
  return {
    when: [...asSeen(keys, standing), { key: keys.halted, is: 'absent' }],
    act: [{ put: { key: keys.halted, value: written({ because, by: self.node, since }) } }],
    otherwise: [],
  };
}

/**
 * Begins a session on a lease. A node's earlier boot is over as soon as a later one is there; whoever asked in its name
 * before and is heard only now fails, because the boot it knows is not the last. `asMember`: a daemon's entries.
 */
export function enter(
  keys: AllKeys,
  self: Self,
  lease: string,
  standing: Standing,
  asMember: string | undefined,
  now: Date,
): Txn {
  const { node, boot, instance, machineId } = self;
  const { last } = standing;
  const isNew = last?.boot !== boot;
  const isLeaving = isNew && last !== undefined && last.machineId === machineId;
  const over = { proof: `${node} was started anew: it is in boot ${boot}`, since: now };
  const introduce: readonly Op[] = [
    { put: { key: keys.node(node), value: written({ boot, instance }), lease } },
    { put: { key: keys.member(node), value: asMember ?? '' } },
  ];
  return {
    when: [
      { key: keys.boot(node), mod: last?.entry.mod ?? 0n },
      { key: keys.over(node, boot), is: 'absent' },
      ...(isNew ? [{ key: keys.node(node), is: 'absent' } as const] : []),
    ],
    act: [
      { put: { key: keys.session(instance), value: node, lease } },
      ...(isNew ? [{ put: { key: keys.boot(node), value: written({ boot, machineId }) } }] : []),
      ...(isLeaving ? [{ put: { key: keys.over(node, last.boot), value: written(over) } }] : []),
      ...(asMember === undefined ? [] : introduce),
    ],
    otherwise: [],
  };
}

/** Tells anew what a member's entry says, for as long as its session is this one. */
export function describeMember(keys: AllKeys, self: Self, session: bigint, asMember: string): Txn {
  return {
    when: [{ key: keys.session(self.instance), mod: session }],
    act: [{ put: { key: keys.member(self.node), value: asMember } }],
    otherwise: [],
  };
}

export function lookAtAll(keys: AllKeys): Txn {
  const all = [{ key: keys.cluster }, { key: keys.generation }, { key: keys.halted }, keys.records, keys.marks];
  return { when: [], act: all.map((range) => ({ get: range })), otherwise: [] };
}

/**
 * Begins the next generation of a store that forgot: nobody holds a lock, and what marks tell may be past. In steps, because
 * etcd takes 128 ops at once; locks are refused until the last one. Answers undefined where there is nothing to recover.
 */
export function recoverFrom(
  keys: AllKeys,
  { found: [cluster, generation, halted, records, marks] }: Outcome,
  own: Remembered,
  uuid: string,
): readonly Txn[] | undefined {
  const told = read(Generation, generation?.[0]);
  const isOwn = read(ClusterId, cluster?.[0]) === own.clusterId;
  if (halted?.[0] === undefined && isOwn && told !== undefined) return undefined;
  const when: readonly Compare[] = [
    { key: keys.cluster, mod: cluster?.[0]?.mod ?? 0n },
    { key: keys.generation, mod: generation?.[0]?.mod ?? 0n },
  ];
  const names = new Set([...(records ?? []), ...(marks ?? [])].map(({ key }) => keys.nameIn(key)));
  const dirty = [...names].map((name): Op => {
    const record = read(
      Held,
      records?.find(({ key }) => key === keys.record(name)),
    );
    const mark = read(
      Mark,
      marks?.find(({ key }) => key === keys.mark(name)),
    );
    const token = [record?.token ?? 0n, mark?.token ?? 0n].reduce((a, b) => (a > b ? a : b));
    return { put: { key: keys.mark(name), value: written({ mark: mark?.mark, token, isOrderly: false }) } };
  });
  const steps = Array.from({ length: Math.ceil(dirty.length / AT_ONCE) }, (_, step) =>
    dirty.slice(step * AT_ONCE, (step + 1) * AT_ONCE),
  );
  const n = Math.max(own.n, told?.n ?? 0) + 1;
  const last: readonly Op[] = [
    { put: { key: keys.cluster, value: written(own.clusterId) } },
    { put: { key: keys.generation, value: written({ n, uuid }) } },
    { remove: { key: keys.halted } },
    { remove: keys.locks },
    { remove: keys.records },
    // Who waited when the snapshot was taken: its daemon keeps the lease alive, and knows nothing of it any more.
    { remove: keys.allWaiters },
  ];
  return [...steps, last].map((act) => ({ when, act, otherwise: [] }));
}

const AT_ONCE = 100;
