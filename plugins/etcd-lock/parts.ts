// Locks and Cluster over one store: how the parts are put together.
import { randomUUID } from 'node:crypto';
import { type Cluster, type Locks, type Log, type MetricSource, type Node, question, v } from 'sltv';
import type { Certificate } from './certificates.ts';
import { createCluster } from './cluster.ts';
import { fail } from './errors.ts';
import { createHoldings } from './holdings.ts';
import { keysUnder } from './keys.ts';
import type { Kv } from './kv.ts';
import type { Line } from './line.ts';
import { createLocks } from './locks.ts';
import { createMailbox } from './mailbox.ts';
import { metricsOf } from './metrics.ts';
import { startOf } from './processes.ts';
import { look, seenIn } from './protocol.ts';
import { createSession } from './session.ts';
import { openMemory } from './state-file.ts';
import { type AskBack, clear } from './takeover.ts';

export interface PartsOptions {
  readonly kv: Kv;
  readonly prefix: string;
  /** Seconds. */
  readonly ttl: number;
  readonly node: Pick<Node, 'id' | 'machineId' | 'bootId' | 'stateDir'>;
  readonly log: Log;
  /** As `Runner.quiet`. */
  readonly quiet: (children: string, signal: AbortSignal) => Promise<void>;
  /** Fires when the daemon stops. */
  readonly stopped: AbortSignal;
  readonly certificates?: readonly Certificate[];
}

export interface Parts extends AsyncDisposable {
  readonly locks: Locks;
  readonly cluster: Cluster;
  readonly metrics: MetricSource;
}

/** Asked of who has a lock, by record, whose lease is gone. */
const GiveBack = question('etcd-lock/give-back', v.object({ name: v.string(), record: v.string() }), v.object({}));

/** Needs no network where this node remembers its cluster. Errors: `etcd-lock/first-start`, `etcd-lock/bad-state`. */
export async function createParts(options: PartsOptions): Promise<Parts> {
  const { kv, prefix, ttl, node, log, quiet, stopped, certificates = [] } = options;
  const { id, bootId: boot, machineId, stateDir } = node;
  const started = (await startOf(process.pid)) ?? '';
  const self = { node: id, boot, machineId, instance: randomUUID(), pid: process.pid, started };
  const keys = keysUnder(prefix);
  let isDaemon = false;
  const memory = await openMemory(stateDir, () => isDaemon);
  const session = createSession({ ...{ kv, keys, self, memory, ttl, log } });
  const clusterId = await session.identify().catch((cause: unknown) => {
    throw fail(
      'first-start',
      `this node has never met its cluster: ${cause instanceof Error ? cause.message : cause}`,
      {
        hint: 'the first start needs etcd in reach; later ones don’t',
        cause,
      },
    );
  });
  const holdings = createHoldings(session, stopped, log);
  const mailbox = createMailbox(session, log);
  const askBack: AskBack = async (of, name, record, signal) => {
    await mailbox.ask(of, GiveBack, { name, record }, signal);
  };
  const line: Line = { session, holdings, askBack, quiet, log, silent: new Map() };
  const clearing = new Map<string, Promise<void>>();
  /** Takes as long as the last command of the process that died; who asked looks at the record. */
  async function clearOwn(name: string): Promise<void> {
    try {
      const seen = seenIn(keys, await session.txn(look(keys, self, name)));
      if (seen.holder?.node === id) await clear(line, name, seen, askBack, stopped);
    } catch (error) {
      if (!stopped.aborted)
        log.warn('a lock of this node could not be cleared; it is tried again when it is asked for', {
          lock: name,
          error,
        });
    }
  }
  // Its holder hears of the loss and gives it back when it can; a process of this node that died is cleared.
  mailbox.answer(GiveBack, async ({ name, record }) => {
    if (holdings.isOurs(name, record, true)) return {};
    clearing.set(name, clearing.get(name) ?? clearOwn(name).finally(() => clearing.delete(name)));
    return {};
  });
  const cluster = createCluster({ session, mailbox, log, silent: line.silent });
  return {
    locks: createLocks(line, clusterId, stopped),
    metrics: metricsOf({ cluster, session, certificates }),
    cluster: {
      ...cluster,
      join(who) {
        isDaemon = true;
        cluster.join(who);
      },
    },
    async [Symbol.asyncDispose]() {
      mailbox[Symbol.dispose]();
      await holdings.settled(LAST_WORDS);
      await session.close();
    },
  };
}

/** Milliseconds that a stop waits for what etcd has not yet heard. */
const LAST_WORDS = 2_000;
