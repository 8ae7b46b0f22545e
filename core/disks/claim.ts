// Taking a disk over from the nodes that may have it active: each is asked, or was fenced, and then their
// permission is replaced by this node's in one commit.
//
// The proof is got without the pool's lock and used under it: `mustBeOursToTake` says whether what is written there now is
// what was proven, and still may be rested on. What a node promised it keeps until the claim is settled (see promises.ts).
import { randomUUID } from 'node:crypto';
import { uptime } from 'node:os';
import type { Cluster, Place, Question } from '../capabilities/cluster.ts';
import type { Pool } from '../capabilities/storage.ts';
import { asSltvError, coreErrors, type SltvError } from '../errors.ts';
import type { Tell } from '../kernel/verb.ts';
import type { Node } from '../node.ts';
import { type Entry, nameOf, placeNote } from './entry.ts';
import { fencedIn, honour } from './permission.ts';
import { GOOD_FOR, type Promises } from './promises.ts';
import { DiskInactive, DiskSettled } from './questions.ts';
import { whileClaimed } from './while-claimed.ts';
import { entryIn } from './world.ts';

export interface Claimant {
  readonly node: Node;
  readonly cluster: Cluster | undefined;
  readonly promises: Promises;
}

/** What is proven of the places where a disk may have been active. */
export interface Claim {
  readonly id: string;
  readonly disk: string;
  /** By their notes. `isFenced`: not by a promise, but because the pool says that its node was fenced, and that life is over. */
  readonly places: ReadonlyMap<string, Proven>;
  /** Nodes that were asked for their promise. */
  readonly asked: readonly string[];
  /** Seconds since this host's boot until which promises may be rested on. */
  readonly until: number;
}

export interface Wanted {
  readonly pool: Pool;
  readonly name: string;
  readonly signal: AbortSignal;
  readonly tell?: Tell | undefined;
  /** Throws when the disk, as it is now, is not to be had at all: asked before anybody is. */
  readonly mayHave: (entry: Entry) => void;
}

/**
 * Does `work` with a proof for every place that a disk's notes name beside this node; work that finds other notes under
 * the lock (`mustBeOursToTake`) is done again with a new one. Errors: `core/disk-elsewhere` when a node has it active or can't be
 * proven not to, `core/disk-claimed`, those of `mayHave` and `work`.
 */
export async function claiming<T>(
  by: Claimant,
  { pool, name, signal, tell, mayHave }: Wanted,
  work: (claim: Claim) => Promise<T>,
): Promise<T> {
  return await whileClaimed(signal, async () => {
    const entry = await entryIn(pool, name, signal);
    mayHave(entry);
    const claim = await prove(by, pool, entry, { signal, tell });
    try {
      return await work(claim);
    } finally {
      await settle(by, claim);
    }
  });
}

/** Whether what has begun with it began in a life that is proven to be over. */
export const isOfLifeThatIsOver = ({ intent }: Entry, claim: Claim): boolean =>
  intent !== undefined && claim.places.get(placeNote(intent))?.isFenced === true;

/** Where else than here it may be active. */
export const placesElsewhere = (node: Node, entry: Entry): readonly Place[] =>
  entry.on.filter((place) => place.node !== node.id);

/**
 * For whoever holds the pool's lock and has read the entry under it: every other place that it names is proven, and nobody else
 * has this node's promise for it. After this the others may be left out of its notes, in the next commit. Errors:
 * `core/disk-claimed`.
 */
export async function mustBeOursToTake(
  { node, promises }: Claimant,
  pool: Pool,
  entry: Entry,
  claim: Claim,
): Promise<void> {
  await honour(promises, entry);
  const proven = placesElsewhere(node, entry).map((place) => claim.places.get(placeNote(place)));
  if (proven.includes(undefined)) throw outOfDate(entry, 'has just been changed by another node');
  if (claim.asked.length > 0 && uptime() > claim.until) throw outOfDate(entry, 'was asked for too long ago');
  const fenced = proven.flatMap((each) => (each?.isFenced ? [each.place.node] : []));
  if (fenced.length === 0) return;
  // A node that is back rests on its old notes again as soon as the pool has forgotten its fence.
  const still = (await fencedIn(pool, AbortSignal.timeout(FACTS_PATIENCE))).map((place) => place.node);
  if (!fenced.every((name) => still.includes(name))) throw outOfDate(entry, 'has just been given back to its node');
}

/** Milliseconds. */
const FACTS_PATIENCE = 10_000;

const outOfDate = (entry: Entry, why: string) =>
  coreErrors('disk-claimed', `${nameOf(entry)} ${why}`, {
    hint: `try again in a moment: sltv disk show ${nameOf(entry)}`,
  });

async function prove(
  by: Claimant,
  pool: Pool,
  entry: Entry,
  { signal, tell }: Pick<Wanted, 'signal' | 'tell'>,
): Promise<Claim> {
  const { node, cluster } = by;
  const elsewhere = placesElsewhere(node, entry);
  const claim = { id: randomUUID(), disk: entry.id, until: uptime() + GOOD_FOR };
  const [first] = elsewhere;
  if (!first) return { ...claim, places: new Map(), asked: [] };
  if (!cluster) throw isElsewhere(entry, first.node);
  const fenced = await fencedIn(pool, signal);
  const which = { pool: pool.id, name: entry.volume.name, disk: entry.id, claim: claim.id };
  const asked: string[] = [];
  const outcomes = await Promise.allSettled(
    [...new Set(elsewhere.map((place) => place.node))].map(async (name): Promise<readonly Proven[]> => {
      const places = elsewhere.filter((place) => place.node === name);
      const wasFenced = fenced.some((place) => place.node === name);
      if (wasFenced && (await areOver(cluster, places, signal))) {
        return places.map((place) => ({ place, isFenced: true }));
      }
      asked.push(name);
      tell?.({ stage: `waiting for node ${name} to let go of the disk` });
      await askForPromise(cluster, name, which, entry, signal);
      return places.map((place) => ({ place, isFenced: false }));
    }),
  );
  const proven = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
  const whole: Claim = { ...claim, places: new Map(proven.map((each) => [placeNote(each.place), each])), asked };
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) return whole;
  // Also whose answer came too late, or not at all: it may have promised.
  await settle(by, whole);
  throw failed.reason;
}

interface Proven {
  readonly place: Place;
  readonly isFenced: boolean;
}

/**
 * Of a node that was fenced, these lives are over. Without the fence that would prove nothing: a newer life may start a VM by
 * the note of an older one (see permission.ts), and need not have been heard of yet.
 */
async function areOver(cluster: Cluster, places: readonly Place[], signal: AbortSignal): Promise<boolean> {
  return (await Promise.all(places.map((place) => cluster.isOver(place, signal)))).every(Boolean);
}

interface Which {
  readonly pool: string;
  readonly name: string;
  readonly disk: string;
  readonly claim: string;
}

async function askForPromise(
  cluster: Cluster,
  node: string,
  which: Which,
  entry: Entry,
  signal: AbortSignal,
): Promise<void> {
  const silence = (cause: unknown) => unanswered(entry, node, cause);
  const answer = await askPatiently(cluster, node, DiskInactive, which, { signal, silence });
  if (answer.isInactive) return;
  const name = nameOf(entry);
  if (answer.isBusy) {
    throw coreErrors('disk-claimed', `${name} can't be had from node ${node} right now: ${answer.because}`, {
      hint: `try again in a moment: sltv disk show ${name}`,
    });
  }
  throw coreErrors('disk-elsewhere', `${name} is held by node ${node}: ${answer.because}`, {
    hint: `see to it on ${node}`,
  });
}

/** What a node answers, for which it has its time. Errors: what `silence` makes of there being none; the signal's reason. */
export async function askPatiently<Q, A>(
  cluster: Cluster,
  node: string,
  question: Question<Q, A>,
  asked: Q,
  { signal, silence }: { readonly signal: AbortSignal; readonly silence: (cause: unknown) => SltvError },
): Promise<A> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_PATIENCE)]);
  return await cluster.ask(node, question, asked, patience).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw silence(cause);
  });
}

/** Milliseconds that a node may take to look, and to deactivate. */
const ANSWER_PATIENCE = 8_000;

/** Lets those go who promised something: nothing rests on it any more. Who does not hear it keeps it a while longer. */
async function settle({ cluster }: Claimant, { id, disk, asked }: Claim): Promise<void> {
  const signal = AbortSignal.timeout(SETTLE_PATIENCE);
  await Promise.all(
    asked.map((node) => cluster?.ask(node, DiskSettled, { disk, claim: id }, signal).catch(() => undefined)),
  );
}

/** Milliseconds. */
const SETTLE_PATIENCE = 2_000;

/** What to say of a disk that another node has. */
export const isElsewhere = (entry: Entry, node: string) =>
  coreErrors('disk-elsewhere', `${nameOf(entry)} is held by node ${node}`, { hint: `run this on ${node}` });

/** And of one whose node does not say what it has. */
export const unanswered = (entry: Entry, node: string, cause: unknown) =>
  coreErrors(
    'disk-elsewhere',
    `${nameOf(entry)} is held by node ${node}, which does not answer${cause === undefined ? '' : `: ${asSltvError(cause).message}`}`,
    { hint: backOrFenced(node), cause },
  );

/** What to do about a node that does not answer. */
export const backOrFenced = (node: string): string =>
  `wait until ${node} is up again; if that host is off for good: sltv node fence ${node}`;
