// First come, first served, within this process.
import { createQueue, type Lease, type Locks, type Queue } from 'sltv';

/** Locks of the domain `local/<machineId>`. Leases end only by being given back, or with `stopped`, the daemon's end. */
export function createLocalLocks(machineId: string, stopped: AbortSignal): Locks {
  const queues = new Map<string, Queue>();
  const queueOf = (name: string): Queue => {
    const queue = queues.get(name) ?? createQueue();
    queues.set(name, queue);
    return queue;
  };
  let latest = 0n;
  return {
    domain: `local/${machineId}`,
    acquire(name, signal) {
      const given = Promise.withResolvers<Lease>();
      const waiting = AbortSignal.any([signal, stopped]);
      queueOf(name)
        .run({ signal: waiting }, () => {
          const returned = Promise.withResolvers<void>();
          latest = nextToken(latest);
          given.resolve(lease(latest, stopped, returned.resolve));
          return returned.promise;
        })
        .catch(given.reject);
      return given.promise;
    },
  };
}

/** From the clock that counts from the host's boot: it grows also when the daemon is restarted. */
function nextToken(latest: bigint): bigint {
  const now = process.hrtime.bigint();
  return now > latest ? now : latest + 1n;
}

function lease(token: bigint, stopped: AbortSignal, giveBack: () => void): Lease {
  return {
    token,
    lost: stopped,
    remaining: () => (stopped.aborted ? 0 : Number.POSITIVE_INFINITY),
    prove: async () => stopped.throwIfAborted(),
    handover: undefined,
    leave: () => {},
    [Symbol.asyncDispose]: async () => giveBack(),
  };
}
