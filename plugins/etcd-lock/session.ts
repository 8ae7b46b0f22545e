// This process towards the store: one lease, kept while it can be, begun anew when it was lost; and nothing of a store that
// forgot is taken for true.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterTrouble, type Log, SltvError } from 'sltv';
import { fail } from './errors.ts';
import type { AllKeys } from './keys.ts';
import type { Kv, Outcome, Txn } from './kv.ts';
import {
  begin,
  describeMember,
  enter,
  halt,
  judgeStanding,
  lookAround,
  type Standing,
  standingIn,
} from './membership.ts';
import { keepProven, moment, type Proof } from './proof.ts';
import type { Ground, Self } from './protocol.ts';
import type { Memory } from './state-file.ts';

/** What may be relied on until it ends: a lease, and the generation of the store. */
export interface Open extends Ground {
  /** It changes when earlier questions were voided. */
  session: bigint;
  readonly n: number;
  /** Why locks are refused. */
  readonly halted: { readonly because: string; readonly by: string; readonly since: Date } | undefined;
  readonly ended: AbortController;
  readonly proof: Proof;
}

export interface Session {
  readonly self: Self;
  readonly keys: AllKeys;
  readonly kv: Kv;
  readonly memory: Memory;
  /** The cluster's id, as remembered, or as the store has it. Errors: as `ready`. */
  identify(): Promise<string>;
  /** Opens it when it isn't. Errors: why it can't be. */
  ready(): Promise<Open>;
  /** As Kv's, and an answer that is older than what was seen before is not believed. */
  txn(txn: Txn): Promise<Outcome>;
  /** The lease was found to be gone. */
  lost(open: Open): void;
  /** From now on it is kept open, and this node a member; `entry` gives what its entry says now. */
  join(entry: () => string): void;
  /** The entry is another now. */
  changed(): void;
  /** Looks whether the store is still what it was. */
  review(): Promise<void>;
  trouble(): ClusterTrouble | undefined;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly kv: Kv;
  readonly keys: AllKeys;
  readonly self: Self;
  readonly memory: Memory;
  /** Seconds. */
  readonly ttl: number;
  readonly log: Log;
}

export function createSession({ kv, keys, self, memory, ttl, log }: SessionOptions): Session {
  const life = new AbortController();
  let open: Open | undefined;
  let opening: Promise<Open> | undefined;
  let trouble: ClusterTrouble | undefined;
  let entry: (() => string) | undefined;
  let watching: Disposable | undefined;
  let refreshing: NodeJS.Timeout | undefined;

  function setTrouble(state: ClusterTrouble['state'], because: string): void {
    if (trouble?.state === state && trouble.because === because) return;
    trouble = { state, because, since: trouble?.state === state ? trouble.since : new Date() };
    log.error(state === 'halted' ? 'no lock is given' : 'etcd is out of reach', { because });
  }

  function clearTrouble(): void {
    if (trouble) log.info('locks are given again', { after: trouble.because });
    trouble = undefined;
  }

  /** The store as it stands, judged. What it told is kept only when it is the one that we know. */
  async function look(): Promise<Standing> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      // As it was remembered when the store was asked: what is heard meanwhile may be younger than the answer.
      const remembered = memory.get();
      const standing = standingIn(await kv.txn(lookAround(keys, self)));
      const found = judgeStanding(remembered, standing);
      if (found.is === 'new') {
        await kv.txn(begin(keys, randomUUID(), randomUUID()));
      } else if (found.is === 'ahead') {
        await memory.adopt({ ...found, revision: standing.revision });
        return standing;
      } else if (found.is === 'as-it-was') {
        memory.saw(standing.revision);
        return standing;
      } else if (!found.isOurs) {
        throw fail('halted', `no lock is given: ${found.because}`, {
          hint: 'see endpoints and prefix of etcdLock in the config',
        });
      } else if (standing.halted) {
        return standing;
      } else {
        log.error('etcd forgot: all locks are refused, on all nodes', { because: found.because });
        await kv.txn(halt(keys, self, standing, found.because, new Date()));
      }
    }
    throw fail('unreachable', 'etcd changes as fast as it is looked at', { hint: 'try again' });
  }

  async function openOnce(): Promise<Open> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const standing = await look();
      refuseStrangers(self, standing);
      const asked = moment();
      const lease = await kv.grant(ttl);
      const { holds, revision } = await kv.txn(enter(keys, self, lease.id, standing, entry?.(), new Date()));
      if (!holds) {
        await kv.revoke(lease.id);
        continue;
      }
      if (entry) memory.spoke(revision);
      let opened: Open;
      const proof = keepProven({
        ...{ kv, lease, asked },
        failing: (error) => setTrouble('unreachable', sentenceOf(error)),
        proven: (seen) => {
          if (trouble?.state === 'unreachable') clearTrouble();
          if (!opened.halted && seen < (memory.get()?.revision ?? 0n)) void review();
          else memory.saw(seen);
        },
        lost: (because) => lose(lease.id, because),
      });
      opened = openOn(standing, lease.id, revision, proof);
      return opened;
    }
    throw fail('unreachable', 'other processes of this node come and go too fast', { hint: 'try again' });
  }

  /** The session was open before its daemon became a member. */
  async function enterAgain(known: Open): Promise<void> {
    try {
      const { holds, revision } = await kv.txn(enter(keys, self, known.lease, await look(), entry?.(), new Date()));
      if (!holds) throw fail('unreachable', 'other processes of this node come and go too fast');
      known.session = revision;
      memory.spoke(revision);
    } catch (error) {
      lose(known.lease, sentenceOf(error));
    }
  }

  function openOn({ generation, halted }: Standing, lease: string, session: bigint, proof: Proof): Open {
    const known = memory.get();
    if (halted) setTrouble('halted', haltedBecause(halted));
    else clearTrouble();
    const at = { n: known?.n ?? 1, generation: generation?.entry.mod ?? 0n };
    open = { ...at, lease, session, proof, halted, ended: new AbortController() };
    return open;
  }

  function lose(lease: string, because: string): void {
    if (open?.lease !== lease) return;
    log.warn('the lease in etcd is lost, and with it every lock', { because });
    open.proof.stop();
    open.ended.abort(fail('lost', `the lease in etcd is lost: ${because}`, { hint: 'try again' }));
    open = undefined;
    // What is left of it would only keep others waiting.
    kv.revoke(lease).catch(() => {});
    if (entry) void keepOpen();
  }

  async function keepOpen(): Promise<void> {
    for (let wait = SOON; open === undefined && !life.signal.aborted; wait = Math.min(wait * 2, LATER)) {
      await ready().catch(() => sleep(wait, undefined, { signal: life.signal }).catch(() => {}));
    }
  }

  async function ready(): Promise<Open> {
    if (life.signal.aborted) throw fail('stopping', 'the daemon stops', { hint: 'repeat when it is up again' });
    if (open) return open;
    opening ??= openOnce().finally(() => {
      opening = undefined;
    });
    try {
      const opened = await opening;
      watching ??= kv.watch([keys.meta, { key: keys.over(self.node, self.boot) }], () => void review());
      return opened;
    } catch (error) {
      const lasts = error instanceof SltvError && LASTING.some((code) => error.code === `etcd-lock/${code}`);
      setTrouble(lasts ? 'halted' : 'unreachable', sentenceOf(error));
      throw error;
    }
  }

  async function review(): Promise<void> {
    const before = open;
    try {
      const standing = await look();
      refuseStrangers(self, standing);
      if (!before || open !== before) return;
      if (standing.generation?.entry.mod === before.generation && !standing.halted === !before.halted) return;
      before.ended.abort(
        fail('lost', 'etcd is in another generation, or halted: every lock is lost', { hint: 'try again' }),
      );
      openOn(standing, before.lease, before.session, before.proof);
      if (entry) await tell();
    } catch (error) {
      if (!(error instanceof SltvError) || !LASTING.some((code) => error.code === `etcd-lock/${code}`)) return;
      setTrouble('halted', sentenceOf(error));
      if (before) lose(before.lease, sentenceOf(error));
    }
  }

  /** A member's entry as it is now; what can't be told now is told with the next session. */
  async function tell(): Promise<void> {
    if (!open || !entry) return;
    try {
      const { holds, revision } = await kv.txn(describeMember(keys, self, open.session, entry()));
      if (holds) memory.spoke(revision);
    } catch {}
  }

  return {
    ...{ self, keys, kv, memory, ready, review },
    async identify() {
      if (memory.get() === undefined) await look();
      return memory.get()?.clusterId ?? '';
    },
    async txn(txn) {
      const floor = open?.halted === undefined ? (memory.get()?.revision ?? 0n) : 0n;
      const outcome = await kv.txn(txn);
      if (outcome.revision >= floor) {
        if (open && !open.halted) memory.saw(outcome.revision);
        return outcome;
      }
      await review();
      throw fail('halted', `etcd answered from revision ${outcome.revision}, and ${floor} was seen`, RECOVER);
    },
    lost: ({ lease }) => lose(lease, 'etcd does not know it'),
    join(describe) {
      entry = describe;
      refreshing = setInterval(() => void tell(), REFRESH).unref();
      void (open ? enterAgain(open) : keepOpen());
    },
    changed: () => void tell(),
    trouble: () => trouble,
    async close() {
      life.abort();
      clearInterval(refreshing);
      watching?.[Symbol.dispose]();
      if (open) await tell();
      const last = open;
      open = undefined;
      last?.proof.stop();
      last?.ended.abort(fail('stopping', 'the daemon stops'));
      if (last) await kv.revoke(last.lease).catch(() => {});
      await memory.save();
      kv.close();
    },
  };
}

const TRIES = 5;
/** Milliseconds between two attempts to open it, and between two looks at what a member's entry says. */
const SOON = 100;
const LATER = 2_000;
const REFRESH = 60_000;

const RECOVER = { hint: 'sltv cluster recover, once no node can be writing' };
/** What doesn't end before a person acts. */
const LASTING = ['halted', 'name-taken', 'own-boot-over'];

export const haltedBecause = ({ because, by, since }: { because: string; by: string; since: Date }): string =>
  `${because} (found by ${by} at ${since.toISOString()})`;

export function refuseHalted({ halted }: Pick<Open, 'halted'>): void {
  if (halted) throw fail('halted', `no lock is given: ${haltedBecause(halted)}`, RECOVER);
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Errors: who has no business to take part under this name, in this boot. */
function refuseStrangers({ node, boot, machineId }: Self, { last, present, member, ownOver }: Standing): void {
  if (ownOver !== undefined) {
    throw fail('own-boot-over', `this boot of ${node} was declared over: ${ownOver}`, { hint: `reboot ${node}` });
  }
  if (last && last.machineId !== machineId && !member?.isRetired) {
    throw fail('name-taken', `another host is called ${node}: its machine id is ${last.machineId}`, {
      hint: `give this host another nodeId; if it replaces that one for good: sltv node retire ${node}`,
    });
  }
  if (present && present.boot !== boot) {
    throw fail('earlier-boot', `${node} is still seen in another boot, ${present.boot}`, {
      hint: 'it ends within the lease’s time; if it does not, a copy of this host is running under its name and machine id',
    });
  }
}
