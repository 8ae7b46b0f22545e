// Cluster: the nodes that share pools, and how they speak with each other.
//
// You implement this beside Locks, over whatever your locks stand on. A *node* is a host that runs the daemon, a *boot* one
// life of it. Core decides what is done about a node; you say who is there, carry questions, and keep what is proven about
// boots. Four promises:
//
// 1. **Silence proves nothing.** A member that does not answer is `isUp: false`, and still one that may write. Only a newer boot of
//    it, or `declareOver`, makes `isOver` true; that never turns back, and survives whatever your locks survive.
// 2. **An answer is one of this boot.** `ask` reaches the daemon that lives on that node now, or fails within its deadline
//    (`unavailable`). A question may arrive twice; whoever answers makes that harmless.
// 3. **Setting up needs nobody.** Without a network the provider can be set up all the same, as soon as this node has ever been a
//    member: guests are started through hooks that set it up, read only, and must not wait for it.
// 4. **A store that forgot is said, not used.** Where what it tells is older than what this node, or any other, has seen
//    of it, `trouble()` says so and every lock is refused until `recover`.
//
// The conformance suite `clusterConformance` in 'sltv/testing' holds you to all of this.
import type { GenericSchema } from 'valibot';
import { event, one } from '../kernel/capability.ts';

/** A node in one of its lives. */
export interface Place {
  readonly node: string;
  readonly boot: string;
}

/** What a node sees of a pool. */
export interface PoolSight {
  readonly name: string;
  /** The same wherever it is seen; another one under the same name is another pool. */
  readonly id: string;
  /** Why nothing may be written there; undefined when it may. */
  readonly trouble?: string | undefined;
}

export interface Member extends Place {
  /** Of the executable, and of what it writes to storage. */
  readonly version: string;
  readonly format: number;
  /** Where its API is reached from other hosts; empty where it is not. */
  readonly addresses: readonly string[];
  readonly pools: readonly PoolSight[];
  /** Its daemon has proven within the lease's time that it lives. */
  readonly isUp: boolean;
  readonly lastSeen: Date;
  /** This boot is over: declared so, or another one of this node was seen, which need not be a member yet. */
  readonly isOver: boolean;
}

/** Something that nodes ask each other: declared once, asked on one side and answered on the other. */
export interface Question<Q, A> {
  readonly id: string;
  readonly asked: GenericSchema<unknown, Q>;
  readonly answered: GenericSchema<unknown, A>;
}

export const question = <Q, A>(
  id: string,
  asked: GenericSchema<unknown, Q>,
  answered: GenericSchema<unknown, A>,
): Question<Q, A> => ({ id, asked, answered });

export interface Cluster {
  /** Becomes a member, and stays one until the daemon stops. Does not wait for the others to be in reach. Kinds: `refused` when another host has this node's name. */
  join(self: Pick<Member, 'version' | 'format' | 'addresses'>): void;
  /** What this node sees of pools; told when it changes. */
  tell(pools: readonly PoolSight[]): void;
  /** All that ever joined and did not retire, by node. Kinds: `unavailable`. */
  members(signal: AbortSignal): Promise<readonly Member[]>;
  /** Asks one node. Kinds: `unavailable` when it does not answer; what its answer threw, with its kind. */
  ask<Q, A>(node: string, question: Question<Q, A>, asked: Q, signal: AbortSignal): Promise<A>;
  /** Answers such questions from now on. */
  answer<Q, A>(question: Question<Q, A>, reply: (asked: Q, by: Place) => Promise<A>): void;
  /** Whether nothing of that boot can run any more. Kinds: `unavailable`. */
  isOver(place: Place, signal: AbortSignal): Promise<boolean>;
  /** Makes it so: the caller has the proof, which is kept in a sentence. Kinds: `unavailable`, `refused` for this very boot. */
  declareOver(place: Place, proof: string, signal: AbortSignal): Promise<void>;
  /** Takes a node out of the members; one that is up, or holds a lock, is refused. */
  forget(node: string, signal: AbortSignal): Promise<void>;
  /** Why locks are out of reach or refused, in a sentence; undefined when all is well. */
  trouble(): ClusterTrouble | undefined;
  /** Who has a lock that somebody here waits for now, and does not answer. */
  silent(): readonly SilentHolder[];
  /** Lets locks be given again after the store forgot: the caller has proven that nobody writes. Kinds: `refused` when there is nothing to recover. */
  recover(signal: AbortSignal): Promise<void>;
}

export interface ClusterTrouble {
  /** `halted` lasts until a person acts; `unreachable` ends by itself. */
  readonly state: 'unreachable' | 'halted';
  readonly because: string;
  readonly since: Date;
}

export interface SilentHolder extends Place {
  readonly lock: string;
  readonly since: Date;
}

export const Cluster = one<Cluster>('cluster');

/** A boot was declared over: what it left half-done may be finished by others. */
export const NodeFenced = event<{ readonly place: Place; readonly proof: string }>(
  'node.fenced',
  ({ place: { node, boot }, proof }) => ({ subject: node, message: `was fenced: ${proof}`, values: { boot, proof } }),
);
