// This process towards the store: one lease, kept while it can be, begun anew when it was lost; and nothing of a store that
// forgot is taken for true.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterTrouble, Log } from 'sltv';
import { fail } from './errors.ts';
import type { AllKeys } from './keys.ts';
import type { Kv, Outcome, Txn } from './kv.ts';
import { describeMember, enter, type Standing } from './membership.ts';
import { keepProven, moment, type Proof } from './proof.ts';
import type { Ground, Self } from './protocol.ts';
import { haltedBecause, isLasting, lookWith, RECOVER, refuseStrangers } from './standing.ts';
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
  /** Called whenever the store was found to be as it was. */
  onReview(check: () => Promise<void>): void;
  /** Looks whether the store is still what it was. */
  review(): Promise<void>;
  trouble(): ClusterTrouble | undefined;
  /** How often a lease, or the generation that it was taken in, was lost, and with it every lock. */
  losses(): number;
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
  const look = lookWith({ kv, keys, self, memory, log });
  let open: Open | undefined;
  let opening: Promise<Open> | undefined;
  let trouble: ClusterTrouble | undefined;
  let entry: (() => string) | undefined;
  let watching: Disposable | undefined;
  let refreshing: NodeJS.Timeout | undefined;
  let verify = async () => {};
  let losses = 0;

  function setTrouble(state: ClusterTrouble['state'], because: string): void {
    if (trouble?.state === state && trouble.because === because) return;
    trouble = { state, because, since: trouble?.state === state ? trouble.since : new Date() };
    log.error(state === 'halted' ? 'no lock is given' : 'etcd is out of reach', { because });
  }

  function clearTrouble(): void {
    if (trouble) log.info('locks are given again', { after: trouble.because });
    trouble = undefined;
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
      if (entry) memory.spoke(keys.member(self.node), revision);
      const proof = keepProven({
        ...{ kv, lease, asked },
        failing: (error) => setTrouble('unreachable', sentenceOf(error)),
        proven: (seen) => {
          if (trouble?.state === 'unreachable') clearTrouble();
          if (!open || open.halted) return;
          if (seen < (memory.get()?.revision ?? 0n)) void review();
          else memory.saw(seen);
        },
        lost: (because) => lose(lease.id, because),
      });
      return openOn(standing, lease.id, revision, proof);
    }
    throw fail('unreachable', 'other processes of this node come and go too fast', { hint: 'try again' });
  }

  /** The session was open before its daemon became a member. */
  async function enterAgain(known: Open): Promise<void> {
    try {
      const { holds, revision } = await kv.txn(enter(keys, self, known.lease, await look(), entry?.(), new Date()));
      if (!holds) throw fail('unreachable', 'other processes of this node come and go too fast');
      known.session = revision;
      memory.spoke(keys.member(self.node), revision);
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
    losses += 1;
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
      const lasts = isLasting(error);
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
      if (standing.generation?.entry.mod === before.generation && !standing.halted === !before.halted) {
        // It may have been restored for all that: what is held has to be there.
        return await verify();
      }
      losses += 1;
      before.ended.abort(
        fail('lost', 'etcd is in another generation, or halted: every lock is lost', { hint: 'try again' }),
      );
      openOn(standing, before.lease, before.session, before.proof);
      if (entry) await tell();
    } catch (error) {
      if (!isLasting(error)) return;
      setTrouble('halted', sentenceOf(error));
      if (before) lose(before.lease, sentenceOf(error));
    }
  }

  /** A member's entry as it is now; what can't be told now is told with the next session. */
  async function tell(): Promise<void> {
    if (!open || !entry) return;
    try {
      const { holds, revision } = await kv.txn(describeMember(keys, self, open.session, entry()));
      if (holds) memory.spoke(keys.member(self.node), revision);
    } catch {}
  }

  return {
    ...{ self, keys, kv, memory, ready, review },
    async identify() {
      if (memory.get() === undefined) await look();
      return memory.get()?.clusterId ?? '';
    },
    async txn(txn) {
      // Nodes speak with each other also through a store that forgot: that is how it is found out who may be writing.
      const floor = open && !open.halted ? (memory.get()?.revision ?? 0n) : 0n;
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
    onReview(check) {
      verify = check;
    },
    trouble: () => trouble,
    losses: () => losses,
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

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
