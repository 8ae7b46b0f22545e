// Who the nodes are, and which of their boots are over.
import { randomUUID } from 'node:crypto';
import { type Cluster, type Log, type Member, type Place, type PoolSight, question, v } from 'sltv';
import { fail } from './errors.ts';
import type { Entry, Op } from './kv.ts';
import type { Line } from './line.ts';
import type { Mailbox } from './mailbox.ts';
import { lookAtAll, recoverFrom } from './membership.ts';
import type { Session } from './session.ts';
import { Held, KnownMember, Present, read, written } from './stored.ts';

export interface ClusterOptions {
  readonly session: Session;
  readonly mailbox: Mailbox;
  readonly log: Log;
  readonly silent: Line['silent'];
}

/** In which boot a daemon is that lives now. */
const WhichBoot = question('etcd-lock/which-boot', v.object({}), v.object({ boot: v.string() }));

export function createCluster({ session, mailbox, log, silent }: ClusterOptions): Cluster {
  const { keys, self } = session;
  let pools: readonly PoolSight[] = [];
  /** By node: when it was last seen up from here. Its own word of that is up to a minute old. */
  const seenUp = new Map<string, Date>();
  mailbox.answer(WhichBoot, async () => ({ boot: self.boot }));

  const get = async (...ranges: readonly { key: string; end?: string }[]) =>
    (await session.txn({ when: [], act: ranges.map((range): Op => ({ get: range })), otherwise: [] })).found;

  async function putOver(place: Place, proof: string): Promise<void> {
    const key = keys.over(place.node, place.boot);
    await session.txn({
      when: [{ key, is: 'absent' }],
      act: [{ put: { key, value: written({ proof, since: new Date() }) } }],
      otherwise: [],
    });
  }

  return {
    join({ version, format, addresses }) {
      session.join(() =>
        written({ boot: self.boot, version, format, addresses, pools, lastSeen: new Date(), isRetired: false }),
      );
      mailbox.open();
    },

    tell(seen) {
      if (written(pools) === written(seen)) return;
      pools = [...seen];
      session.changed();
    },

    async members(signal) {
      signal.throwIfAborted();
      const [members = [], nodes = [], overs = []] = await get(keys.members, keys.nodes, keys.overs);
      const up = new Map(nodes.map((entry) => [keys.nameIn(entry.key), read(Present, entry)]));
      const over = new Set(overs.map(({ key }) => key));
      return members.flatMap((entry): Member[] => {
        const known = read(KnownMember, entry);
        if (!known || known.isRetired) return [];
        const { isRetired, ...facts } = known;
        const node = keys.nameIn(entry.key);
        const isUp = up.get(node)?.boot === known.boot;
        if (isUp) seenUp.set(node, new Date());
        const lastSeen = later(known.lastSeen, seenUp.get(node));
        return [{ ...facts, node, isUp, lastSeen, isOver: over.has(keys.over(node, known.boot)) }];
      });
    },

    ask: mailbox.ask,
    answer: mailbox.answer,

    async isOver(place, signal) {
      signal.throwIfAborted();
      const { node, boot } = place;
      const [over, present] = await get({ key: keys.over(node, boot) }, { key: keys.node(node) });
      if (over?.[0]) return true;
      const lives = read(Present, present?.[0]);
      if (!lives || lives.boot === boot) return false;
      // A boot that never came here has no place in the order. A daemon that lives now has seen the end of every earlier one.
      const now = await mailbox.ask(node, WhichBoot, {}, signal).catch(() => undefined);
      signal.throwIfAborted();
      if (now === undefined || now.boot === boot) return false;
      await putOver(place, `${node} is in boot ${now.boot} now`);
      return true;
    },

    async declareOver(place, proof, signal) {
      signal.throwIfAborted();
      if (place.node === self.node && place.boot === self.boot) {
        throw fail('own-boot', 'this boot can’t be over while it says so itself', {
          hint: 'declare it on another node',
        });
      }
      await putOver(place, proof);
      log.warn('a boot is over', { ...place, proof });
    },

    async forget(node, signal) {
      signal.throwIfAborted();
      const [member, present, records = []] = await get(
        { key: keys.member(node) },
        { key: keys.node(node) },
        keys.records,
      );
      const known = read(KnownMember, member?.[0]);
      if (!known || known.isRetired) return;
      const held = records.find((entry) => read(Held, entry)?.node === node);
      if (held) throw holds(node, held, keys.nameIn(held.key));
      const { holds: isDone } = await session.txn({
        when: [
          { key: keys.node(node), is: 'absent' },
          { key: keys.member(node), mod: member?.[0]?.mod ?? 0n },
        ],
        act: [{ put: { key: keys.member(node), value: written({ ...known, isRetired: true }) } }],
        otherwise: [],
      });
      if (isDone && !present?.[0]) return;
      throw fail('node-up', `the daemon of ${node} is up`, { hint: `on ${node}: systemctl disable --now sltv` });
    },

    trouble: () => session.trouble(),
    silent: () => [...silent].map(([lock, { node, boot, since }]) => ({ lock, node, boot, since })),

    async recover(signal) {
      signal.throwIfAborted();
      const own = session.memory.get();
      const outcome = await session.kv.txn(lookAtAll(keys));
      const steps = own && recoverFrom(keys, outcome, own, randomUUID());
      if (!steps) {
        throw fail('nothing-to-recover', 'etcd is as this node knows it: there is nothing to recover', {
          hint: 'sltv status --cluster says what holds up locks',
        });
      }
      for (const step of steps) {
        const { holds } = await session.kv.txn(step);
        if (!holds)
          throw fail('unreachable', 'etcd was recovered by another node at the same time', { hint: 'try again' });
      }
      log.warn('etcd was recovered: a new generation begins', { cluster: own.clusterId });
      await session.review();
    },
  };
}

const holds = (node: string, entry: Entry, name: string) =>
  fail('node-holds', `${node} still has the lock ${name}, since ${read(Held, entry)?.since.toISOString()}`, {
    hint: `start sltv on ${node}, or: sltv node fence ${node}`,
  });

const later = (one: Date, other: Date | undefined): Date => (other !== undefined && other > one ? other : one);
