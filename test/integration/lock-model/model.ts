// A small explorer of the lock protocol: every order in which a few hosts, their commands and the store can act, with the
// protocol's own transactions. What hosts do between transactions is written here once more, as short as it can be.
//
// A host takes a turn: lock, identity check, command, release. At any moment it may be paused, lose its lease, die, or lose
// power; what it asked for may be carried out late, also after it has given up; its command goes on without it. That a host reads
// what its command has made is one step with the command's end: there a stranger has a millisecond.
import { keysUnder } from '../../../plugins/etcd-lock/keys.ts';
import type { Outcome, Txn } from '../../../plugins/etcd-lock/kv.ts';
import {
  type Attempt,
  abandon,
  acquire,
  type Ground,
  type KnownMark,
  look,
  NO_MARK,
  newAttempt,
  nextToken,
  prove,
  release,
  type Self,
  seenIn,
  takeOver,
  voidEarlier,
} from '../../../plugins/etcd-lock/protocol.ts';
import { written } from '../../../plugins/etcd-lock/stored.ts';
import { applyTxn, emptyStore, endLease, grantLease, type Store } from './model-store.ts';

/** What may go wrong, and how often in one history. */
export interface Bounds {
  readonly hosts: number;
  /** Turns that each host wants. */
  readonly turns: number;
  readonly faults: number;
  readonly kinds: readonly Fault[];
}

export type Fault = 'pause' | 'lease' | 'crash' | 'reboot' | 'late' | 'fence' | 'fence-alive' | 'restore';

/** Parts of the protocol left out, to see that each is needed. */
export interface Without {
  /** The record is not looked at: a lease is all that holds a lock. */
  readonly record?: boolean;
  /** A new process on the same boot does not wait for its predecessor's command. */
  readonly orphans?: boolean;
  /** The mark is not compared. */
  readonly identity?: boolean;
  /** A store that is behind what was seen of it is used. */
  readonly memory?: boolean;
}

type Phase =
  | { readonly at: 'idle' }
  | { readonly at: 'blocked'; readonly outcome: Outcome }
  /** It was told nothing: first nothing that it asked for may happen any more, then what has happened is taken back. */
  | { readonly at: 'voiding' | 'abandoning'; readonly attempt: Attempt }
  | { readonly at: 'held'; readonly lock: Attempt }
  /** All that is asked before a command was answered well. */
  | { readonly at: 'cleared'; readonly lock: Attempt }
  | { readonly at: 'running'; readonly lock: Attempt }
  /** `made`: what it leaves as its mark. */
  | { readonly at: 'finished'; readonly lock: Attempt; readonly made: Content | undefined };

interface Host {
  readonly boot: number;
  /** Processes in this boot. */
  readonly life: number;
  /** Sessions of this process. */
  readonly session: number;
  readonly isUp: boolean;
  readonly isPaused: boolean;
  /** The time of its lease has run out, as far as it knows. */
  readonly isLost: boolean;
  readonly ground: Ground;
  readonly before: KnownMark;
  readonly phase: Phase;
  readonly attempts: number;
  readonly turnsLeft: number;
  /** It found the store to have forgotten, or its own boot declared over: it asks for nothing more. */
  readonly isBarred: boolean;
}

interface Command {
  readonly id: string;
  /** The lock that it was begun under. */
  readonly under: Attempt;
  readonly host: number;
  readonly boot: number;
  /** What it has read. */
  readonly read: Content;
}

/** Which commit the VG is at: its number, and whose. */
interface Content {
  readonly sequence: number;
  readonly by: string;
}

export interface World {
  readonly store: Store;
  /** What `restore` brings back. */
  readonly snapshot: Store;
  readonly hosts: readonly Host[];
  readonly commands: readonly Command[];
  /** Asked for, given up, and perhaps still carried out. */
  readonly late: readonly Txn[];
  readonly group: Content;
  readonly faultsLeft: number;
}

/**
 * `loss`: a commit overwrote that of a host which nobody has declared over. `difference`: the VG was found other than its mark
 * says, and the turn ended; `overlooked`: a command was begun all the same.
 */
export type Omen = 'loss' | 'difference' | 'overlooked';

export interface Step {
  readonly what: string;
  readonly to: World;
  readonly omen?: Omen;
}

const NAME = 'vg';
const EPOCH = new Date(0);
const keys = keysUnder('/');
const selfOf = (index: number, { boot, life }: Pick<Host, 'boot' | 'life'>): Self => ({
  node: `n${index}`,
  boot: `b${boot}`,
  instance: `n${index}.${boot}.${life}`,
  machineId: `m${index}`,
  pid: life,
  started: '0',
});

export function begin({ hosts, turns, faults }: Bounds): World {
  const born = { boot: 0, life: 0, session: 0 };
  const generation = { key: keys.generation, value: written({ n: 1, uuid: 'g' }) };
  let [store] = applyTxn(emptyStore(), { when: [], act: [{ put: generation }], otherwise: [] });
  const all = Array.from({ length: hosts }, (_, index): Host => {
    const [entered, ground] = enter(store, index, born);
    store = entered;
    return {
      ...born,
      isUp: true,
      isPaused: false,
      isLost: false,
      ground,
      before: NO_MARK,
      phase: { at: 'idle' },
      attempts: 0,
      turnsLeft: turns,
      isBarred: false,
    };
  });
  return {
    store,
    snapshot: store,
    hosts: all,
    commands: [],
    late: [],
    group: { sequence: 0, by: 'nobody' },
    faultsLeft: faults,
  };
}

/** A new session on a new lease. */
function enter(store: Store, index: number, host: Pick<Host, 'boot' | 'life' | 'session'>): readonly [Store, Ground] {
  const self = selfOf(index, host);
  const lease = `${self.instance}.${host.session}`;
  const [entered] = applyTxn(grantLease(store, lease), voidEarlier(keys, self, lease, undefined));
  const [, outcome] = applyTxn(entered, look(keys, self, NAME));
  const { session, generation } = seenIn(keys, outcome);
  return [entered, { lease, session, generation }];
}

/** Everything that can happen next. */
export function* steps(world: World, { kinds }: Bounds, without: Without = {}): Generator<Step> {
  for (const [index, host] of world.hosts.entries()) {
    if (host.isUp && !host.isPaused) yield* acts(world, index, host, { without, mayBeLate: kinds.includes('late') });
    if (host.isPaused)
      yield { what: `n${index} wakes up`, to: change(world, index, { isPaused: false, isLost: true }) };
    if (!host.isUp) yield { what: `n${index} starts`, to: start(world, index, host) };
    if (world.faultsLeft > 0) {
      const hit = { ...world, faultsLeft: world.faultsLeft - 1 };
      for (const kind of kinds) yield* faults(hit, index, host, kind);
    }
  }
  const kept = world.hosts.filter(({ isUp, isPaused, isLost }) => isUp && !isPaused && !isLost);
  for (const lease of world.store.leases) {
    if (kept.some(({ ground }) => ground.lease === lease)) continue;
    yield { what: `lease ${lease} ends`, to: { ...world, store: endLease(world.store, lease) } };
  }
  for (const command of world.commands) yield commit(world, command);
  for (const [at, txn] of world.late.entries()) {
    const [store] = applyTxn(world.store, txn);
    yield { what: 'something late is carried out', to: { ...world, store, late: world.late.toSpliced(at, 1) } };
  }
  if (world.faultsLeft > 0 && kinds.includes('restore') && world.store.restored === 0) {
    const store = { ...world.snapshot, restored: 1 };
    yield { what: 'etcd is restored', to: { ...world, faultsLeft: world.faultsLeft - 1, store } };
  }
}

function change(world: World, index: number, what: Partial<Host>): World {
  const host = world.hosts[index];
  return host === undefined ? world : { ...world, hosts: world.hosts.with(index, { ...host, ...what }) };
}

interface How {
  readonly without: Without;
  readonly mayBeLate: boolean;
}

/** What one host does of itself. */
function* acts(world: World, index: number, host: Host, { without, mayBeLate }: How): Generator<Step> {
  const { phase } = host;
  const self = selfOf(index, host);
  const go = (what: Partial<Host>, store = world.store): World => change({ ...world, store }, index, what);
  const isLateNow = mayBeLate && world.faultsLeft > 0;
  const later = (txn: Txn, what: Partial<Host>): World => ({
    ...go(what),
    faultsLeft: world.faultsLeft - 1,
    late: [...world.late, txn],
  });
  // Every host has heard of the store since the snapshot was taken, so its first answer afterwards tells it.
  if (world.store.restored > 0 && !without.memory && !host.isBarred) {
    const halt: Txn = {
      when: [],
      act: [{ put: { key: keys.halted, value: written({ because: 'x', by: self.node, since: EPOCH }) } }],
      otherwise: [],
    };
    if (phase.at !== 'cleared' && phase.at !== 'running') {
      return yield {
        what: `n${index} halts`,
        to: go({ isBarred: true, turnsLeft: 0 }, applyTxn(world.store, halt)[0]),
      };
    }
  }
  switch (phase.at) {
    case 'idle': {
      if (host.isBarred || host.turnsLeft === 0) return;
      if (host.isLost) {
        const next = { ...host, session: host.session + 1 };
        const [store, ground] = enter(world.store, index, next);
        return yield { what: `n${index} enters anew`, to: go({ session: next.session, ground, isLost: false }, store) };
      }
      const attempt = newAttempt(self, NAME, {
        token: nextToken(host.before, 1),
        attempt: host.attempts,
        since: EPOCH,
      });
      const txn = withoutRecord(acquire(keys, self, host.ground, attempt, host.before), without);
      // One that failed has left nothing by which it could be taken for another.
      const asked = { attempts: host.attempts + 1 };
      if (isLateNow)
        yield { what: `n${index} asks in vain`, to: later(txn, { ...asked, phase: { at: 'voiding', attempt } }) };
      const [store, outcome] = applyTxn(world.store, txn);
      const phase: Phase = outcome.holds
        ? { at: 'held', lock: attempt }
        : { at: 'blocked', outcome: applyTxn(store, look(keys, self, NAME))[1] };
      return yield {
        what: `n${index} asks: ${outcome.holds}`,
        to: go({ ...(outcome.holds ? asked : {}), phase }, store),
      };
    }
    case 'voiding': {
      const [store] = applyTxn(world.store, voidEarlier(keys, self, host.ground.lease, undefined));
      const [, outcome] = applyTxn(store, look(keys, self, NAME));
      const ground = { ...host.ground, session: seenIn(keys, outcome).session };
      return yield { what: `n${index} voids`, to: go({ ground, phase: { ...phase, at: 'abandoning' } }, store) };
    }
    case 'abandoning': {
      const [store] = applyTxn(world.store, abandon(keys, phase.attempt));
      return yield { what: `n${index} abandons`, to: go({ phase: { at: 'idle' } }, store) };
    }
    case 'blocked':
      return yield* unblock(world, index, host, phase.outcome, without);
    case 'held': {
      const isDifferent = !isExpected(host.before, world.group);
      if (isDifferent && !without.identity) {
        const to = go({ phase: { ...phase, at: 'finished', made: undefined } });
        return yield { what: `n${index} finds a difference`, to, omen: 'difference' };
      }
      const isHeld = !host.isLost || applyTxn(world.store, prove(keys, host.ground, phase.lock))[1].holds;
      const next: Phase = isHeld ? { ...phase, at: 'cleared' } : { ...phase, at: 'finished', made: undefined };
      const omen = isDifferent && isHeld ? { omen: 'overlooked' as const } : {};
      return yield { what: `n${index} checks: ${isHeld}`, to: go({ phase: next }), ...omen };
    }
    case 'cleared': {
      const id = `${self.instance}.${host.attempts}`;
      const command = { id, under: phase.lock, host: index, boot: host.boot, read: world.group };
      const begun = { ...world, commands: [...world.commands, command] };
      return yield {
        what: `n${index} begins a command`,
        to: change(begun, index, { phase: { ...phase, at: 'running' } }),
      };
    }
    case 'running':
      return;
    case 'finished': {
      const { lock, made } = phase;
      const left = made === undefined ? host.before : { mark: JSON.stringify(made), isOrderly: true };
      const token = nextToken(host.before, 1);
      const txn = release(keys, lock, { mark: left.mark, isOrderly: left.isOrderly, token });
      const rest = { phase: { at: 'idle' as const }, turnsLeft: host.turnsLeft - 1, before: NO_MARK };
      if (isLateNow) yield { what: `n${index} gives back in vain`, to: later(txn, {}) };
      return yield { what: `n${index} gives back`, to: go(rest, applyTxn(world.store, txn)[0]) };
    }
  }
}

/** Looks at what is in the way, and takes it away where its holder is over. */
function* unblock(world: World, index: number, host: Host, outcome: Outcome, without: Without): Generator<Step> {
  const seen = seenIn(keys, outcome);
  const rest = { phase: { at: 'idle' as const }, before: seen.mark };
  if (seen.ownOver !== undefined || seen.halted !== undefined) {
    return yield { what: `n${index} is barred`, to: change(world, index, { ...rest, isBarred: true }) };
  }
  if (outcome.found.length === 0 || seen.session !== host.ground.session) {
    return yield {
      what: `n${index} has lost its session`,
      to: change(world, index, { phase: rest.phase, isLost: true }),
    };
  }
  yield { what: `n${index} looks again`, to: change(world, index, rest) };
  const { holder } = seen;
  const because = holder && reasonToTake(world, index, host, holder, without);
  if (holder === undefined || because === undefined) return;
  const [store] = applyTxn(world.store, takeOver(keys, { name: NAME, seen, holder }, because));
  yield {
    what: `n${index} takes over from ${holder.instance}: ${because}`,
    to: change({ ...world, store }, index, rest),
  };
}

function reasonToTake(
  world: World,
  index: number,
  host: Host,
  holder: { readonly node: string; readonly boot: string; readonly instance: string },
  without: Without,
) {
  const self = selfOf(index, host);
  if (world.store.entries.has(keys.over(holder.node, holder.boot))) return 'boot-over';
  if (holder.node !== self.node || holder.instance === self.instance) return undefined;
  if (holder.boot !== self.boot) return 'earlier-boot';
  return without.orphans || !hasCommand(world, index, host.boot) ? 'process-ended' : undefined;
}

const hasCommand = (world: World, index: number, boot: number): boolean =>
  world.commands.some((command) => command.host === index && command.boot === boot);

/** As plugins/lvm judges what it finds. */
function isExpected({ mark, isOrderly }: KnownMark, group: Content): boolean {
  if (mark === undefined || mark === JSON.stringify(group)) return true;
  const known = JSON.parse(mark) as Content;
  return !isOrderly && group.sequence > known.sequence;
}

/** What would be safe if a lease were proof: nobody looks at records. */
function withoutRecord(txn: Txn, { record = false }: Without): Txn {
  return record ? { ...txn, when: txn.when.filter(({ key }) => key !== keys.record(NAME)) } : txn;
}

/** Its host, if it is still the process that began it, sees at once what the command has made. */
function commit(world: World, command: Command): Step {
  const { id, read, host } = command;
  const isOver = read.sequence !== world.group.sequence || read.by !== world.group.by;
  const made = { sequence: read.sequence + 1, by: id };
  const after = { ...world, commands: world.commands.filter((each) => each !== command), group: made };
  const phase = world.hosts[host]?.phase;
  const isItsOwn = phase?.at === 'running' && phase.lock.value === command.under.value;
  const to = isItsOwn ? change(after, host, { phase: { at: 'finished', lock: phase.lock, made } }) : after;
  const isHarm = isOver && !isDeclaredOver(world, world.group.by);
  return { what: `n${host} commits`, to, ...(isHarm ? { omen: 'loss' as const } : {}) };
}

/** Whether whoever made this was declared over: nobody was told that it had succeeded. */
function isDeclaredOver({ store }: World, by: string): boolean {
  const [node = '', boot = ''] = by.split('.');
  return store.entries.has(keys.over(node, `b${boot}`));
}

function start(world: World, index: number, host: Host): World {
  const next = { ...host, life: host.life + 1, session: 0 };
  const [store, ground] = enter(world.store, index, next);
  const fresh = { isUp: true, isPaused: false, isLost: false, isBarred: false, before: NO_MARK };
  return change({ ...world, store }, index, { ...next, ...fresh, ground, phase: { at: 'idle' } });
}

function* faults(world: World, index: number, host: Host, kind: Fault): Generator<Step> {
  const powerOff = (): World => ({
    ...change(world, index, { isUp: false, isPaused: false, boot: host.boot + 1, life: -1 }),
    commands: world.commands.filter((command) => command.host !== index),
  });
  const declareOver = (after: World): World => {
    const over = { key: keys.over(`n${index}`, `b${host.boot}`), value: written({ proof: 'x', since: EPOCH }) };
    return { ...after, store: applyTxn(after.store, { when: [], act: [{ put: over }], otherwise: [] })[0] };
  };
  if (kind === 'pause' && host.isUp && !host.isPaused) {
    yield { what: `n${index} is paused`, to: change(world, index, { isPaused: true }) };
  }
  if (kind === 'lease' && host.isUp && !host.isPaused && !host.isLost) {
    yield { what: `n${index} is cut off`, to: change(world, index, { isLost: true }) };
  }
  if (kind === 'crash' && host.isUp) {
    yield { what: `n${index} crashes`, to: change(world, index, { isUp: false, isPaused: false }) };
  }
  if (kind === 'reboot' && host.isUp) yield { what: `n${index} loses power`, to: powerOff() };
  if (kind === 'fence' && host.isUp) yield { what: `n${index} is fenced`, to: declareOver(powerOff()) };
  if (kind === 'fence-alive' && host.isUp) yield { what: `n${index} is fenced and lives`, to: declareOver(world) };
}
