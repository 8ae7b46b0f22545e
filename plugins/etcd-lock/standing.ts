// Whether this process may take part in the store that it has found, and whether that is the one it knows.
import { randomUUID } from 'node:crypto';
import { type Log, SltvError } from 'sltv';
import { fail } from './errors.ts';
import type { AllKeys } from './keys.ts';
import type { Kv } from './kv.ts';
import { begin, halt, judgeStanding, lookAround, type Standing, standingIn } from './membership.ts';
import type { Self } from './protocol.ts';
import type { Memory } from './state-file.ts';

export interface LookOptions {
  readonly kv: Kv;
  readonly keys: AllKeys;
  readonly self: Self;
  readonly memory: Memory;
  readonly log: Log;
}

/**
 * Answers with the store as it stands, judged. What it told is kept only when it is the one that we know; an empty one
 * becomes a cluster's, and one that forgot is halted, for all nodes. Errors: `etcd-lock/halted` for another cluster's.
 */
export function lookWith({ kv, keys, self, memory, log }: LookOptions): () => Promise<Standing> {
  return async function look(): Promise<Standing> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      // As it was before this was asked: other calls go on meanwhile, and what they are told may be newer than the answer.
      const remembered = memory.get();
      const spokenAt = remembered?.spokenAt || keys.member(self.node);
      const standing = standingIn(await kv.txn(lookAround(keys, self, spokenAt)));
      const found = judgeStanding(remembered, standing);
      if (found.is === 'new') {
        await kv.txn(begin(keys, randomUUID(), randomUUID()));
      } else if (found.is === 'ahead') {
        const { clusterId, n, uuid } = found;
        // Another look may have adopted it meanwhile, and more was seen since.
        if (memory.get()?.uuid !== uuid) await memory.adopt({ clusterId, n, uuid, revision: standing.revision });
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
  };
}

const TRIES = 5;

/** Errors: who has no business to take part under this name, in this boot. */
export function refuseStrangers({ node, boot, machineId }: Self, { last, present, member, ownOver }: Standing): void {
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

export function refuseHalted({ halted }: Pick<Standing, 'halted'>): void {
  if (halted) throw fail('halted', `no lock is given: ${haltedBecause(halted)}`, RECOVER);
}

export const haltedBecause = ({ because, by, since }: { because: string; by: string; since: Date }): string =>
  `${because} (found by ${by} at ${since.toISOString()})`;

export const RECOVER = { hint: 'sltv cluster recover, once no node can be writing' };

/** Of an error: it doesn't end before a person acts. */
export const isLasting = (error: unknown): boolean => error instanceof SltvError && LASTING.includes(error.code);

const LASTING = ['etcd-lock/halted', 'etcd-lock/name-taken', 'etcd-lock/own-boot-over'];
