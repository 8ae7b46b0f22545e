// Walks every world that can be reached within bounds, each once.
import { createHash } from 'node:crypto';
import { type Bounds, begin, type Omen, steps, type Without, type World } from './model.ts';

export interface Explored {
  /** Worlds that differ. */
  readonly worlds: number;
  /** How often each was met, and how one first comes to it. */
  readonly omens: Readonly<Record<Omen, number>>;
  readonly histories: Readonly<Partial<Record<Omen, readonly string[]>>>;
  /** How one comes to a world from which nothing leads to where all turns are done of hosts that may ask. */
  readonly stuck: readonly string[] | undefined;
}

/** Errors: when there are more than `most` worlds, so that bounds are chosen, not suffered. */
export function explore(bounds: Bounds, without: Without = {}, most = 2_000_000): Explored {
  const numbers = new Map<string, number>();
  const from: number[] = [];
  const by: string[] = [];
  const edges: number[] = [];
  const ends: number[] = [];
  const open: { readonly world: World; readonly number: number }[] = [];
  const omens = { loss: 0, difference: 0, overlooked: 0 };
  const histories: Partial<Record<Omen, readonly string[]>> = {};

  function reach(world: World, before: number, what: string): number {
    const key = keyOf(world);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = numbers.size;
    if (number >= most) throw new Error(`more than ${most} worlds`);
    numbers.set(key, number);
    from.push(before);
    by.push(what);
    open.push({ world, number });
    return number;
  }

  reach(begin(bounds), -1, '');
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { world, number } = next;
    if (world.hosts.every(isDone)) ends.push(number);
    for (const { what, to, omen } of steps(world, bounds, without)) {
      edges.push(number, reach(to, number, what));
      if (omen === undefined) continue;
      omens[omen] += 1;
      histories[omen] ??= [...historyOf(number, from, by), what];
    }
  }
  const leading = leadingTo(ends, edges, numbers.size);
  const stuck = from.findIndex((_, world) => !leading.has(world));
  return { worlds: numbers.size, omens, histories, stuck: stuck < 0 ? undefined : historyOf(stuck, from, by) };
}

const isDone = ({ turnsLeft, isBarred, isUp }: World['hosts'][number]): boolean =>
  isUp && (turnsLeft === 0 || isBarred);

/** The worlds that lead to one of these. `edges`: pairs of numbers. */
function leadingTo(ends: readonly number[], edges: readonly number[], worlds: number): ReadonlySet<number> {
  const before: number[][] = Array.from({ length: worlds }, () => []);
  for (let at = 0; at < edges.length; at += 2) before[edges[at + 1] ?? 0]?.push(edges[at] ?? 0);
  const found = new Set(ends);
  const open = [...ends];
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    for (const earlier of before[world] ?? []) {
      if (found.has(earlier)) continue;
      found.add(earlier);
      open.push(earlier);
    }
  }
  return found;
}

function historyOf(world: number, from: readonly number[], by: readonly string[]): string[] {
  const history: string[] = [];
  for (let at = world; at > 0; at = from[at] ?? 0) history.unshift(by[at] ?? '');
  return history;
}

/** The same for worlds that differ in how high their revisions are, and not in their order. */
function keyOf({ store, hosts, commands, late, group, faultsLeft }: World): string {
  const parts = [...store.entries.values(), ...hosts, ...commands, ...late, group].map(partOf);
  const revisions = parts.flatMap((part) => part.revisions);
  const ranks = new Map([...new Set(revisions)].sort((a, b) => a - b).map((revision, rank) => [revision, rank]));
  const texts = parts.map(({ text }) => text).join('');
  const rest = `${faultsLeft} ${store.restored} ${[...store.leases].join()} ${hosts.length} ${commands.length} ${late.length}`;
  const key = `${rest} ${revisions.map((revision) => ranks.get(revision)).join()} ${texts}`;
  return createHash('sha1').update(key).digest('base64');
}

interface Part {
  readonly text: string;
  readonly revisions: readonly number[];
}

/** Most parts of a world are parts of the one before it. */
const parts = new WeakMap<object, Part>();

function partOf(value: object): Part {
  const known = parts.get(value);
  if (known) return known;
  const revisions: number[] = [];
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'bigint') return inner;
    revisions.push(Number(inner));
    return 0;
  });
  const part = { text, revisions };
  parts.set(value, part);
  return part;
}
