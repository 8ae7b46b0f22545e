// What the daemons of a storm do to disks, in the states and notes of docs/on-disk-format.md: as core/disks does, without
// guests and without data, for which there are no devices here.
import type { Place } from '../../core/capabilities/cluster.ts';
import type { Volume } from '../../core/capabilities/storage.ts';
import {
  type Entry,
  type Intent,
  intentNote,
  newNotes,
  ownerNote,
  placeNote,
  readEntry,
  type Operation as Word,
} from '../../core/disks/entry.ts';
import { type Desk, type Scribe, takeTurn } from './commit.ts';
import type { Dice } from './dice.ts';

export interface Hand extends Desk {
  readonly me: Place;
  readonly dice: Dice;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Names of the disks that this hand makes. */
  readonly names: readonly string[];
}

/** A turn of some operations, and another one in which those end that need two. */
export async function work(hand: Hand, act: string): Promise<void> {
  const { dice, ledger, signal } = hand;
  const begun: { readonly operation: Operation; readonly volume: Volume }[] = [];
  await takeTurn(hand, act, signal, async (scribe) => {
    for (let left = 1 + dice.below(MOST); left > 0; left -= 1) {
      const operation = dice.pick(WEIGHTED);
      const volume = await operation.begin({ ...hand, scribe, act });
      if (volume === undefined) continue;
      if (operation.end) begun.push({ operation, volume });
      else ledger.write(act, { is: 'did', what: operation.what });
    }
  });
  if (begun.length === 0) return;
  await takeTurn(hand, act, AbortSignal.timeout(PATIENCE), async (scribe) => {
    for (const { operation, volume } of begun) {
      const entry = entryOf(await scribe.find(volume.name));
      // Nobody else changes a disk that carries an intent, and may take it away only where this boot is over.
      if (entry?.intent?.id !== intentId(act)) throw new Error(`the intent of ${act} on ${volume.name} is gone`);
      await operation.end?.(scribe, entry);
      ledger.write(act, { is: 'did', what: operation.what });
    }
  });
}

/** Operations in a turn. */
const MOST = 8;
/** Milliseconds that what has begun waits for its end. */
const PATIENCE = 20_000;

interface Operation {
  readonly what: string;
  readonly weight: number;
  /** Undefined when there is nothing that it could be done to. */
  begin(by: Doing): Promise<Volume | undefined>;
  /** For those of more than one commit, whose first left an intent. */
  end?(scribe: Scribe, entry: Entry): Promise<unknown>;
}

interface Doing extends Hand {
  readonly scribe: Scribe;
  readonly act: string;
}

const OPERATIONS: readonly Operation[] = [
  {
    what: 'create thick',
    weight: 3,
    async begin({ scribe, me, dice, names, extent }) {
      const name = await freeName(scribe, dice, names);
      const size = extent * BigInt(1 + dice.below(4));
      const { on, ...notes } = newNotes({ id: dice.uuid(), format: 'raw', virtualSize: size }, me);
      return name === undefined ? undefined : await scribe.create({ name, size, notes, format: 'raw', active: false });
    },
  },
  {
    what: 'create thin',
    weight: 2,
    async begin({ scribe, me, dice, names, extent, act }) {
      const name = await freeName(scribe, dice, names);
      const disk = { id: dice.uuid(), format: 'qcow2', virtualSize: 64n * extent } as const;
      const notes = newNotes(disk, me, intentOf(me, act, 'create'));
      return name === undefined
        ? undefined
        : await scribe.create({ name, size: extent, notes, format: 'qcow2', active: false });
    },
    end: (scribe, { volume }) => scribe.note(volume, { op: [], on: [] }),
  },
  {
    what: 'extend',
    weight: 4,
    async begin(by) {
      const volume = await pick(by, (disk) => isHere(disk, by) && isSmall(disk, by));
      return volume && (await by.scribe.extend(volume, volume.size + by.extent * BigInt(1 + by.dice.below(3))));
    },
  },
  {
    // No decision rests on it, so that any node may write it.
    what: 'note',
    weight: 6,
    async begin(by) {
      const volume = await pick(by, () => true);
      return volume && (await by.scribe.note(volume, { 'storm.said': [`${by.me.node}-${by.dice.below(1_000_000)}`] }));
    },
  },
  {
    what: 'attach',
    weight: 4,
    async begin(by) {
      const { me, dice, act, scribe } = by;
      const volume = await pick(by, (disk) => !disk.owner && isHere(disk, by));
      const owner = ownerNote({ vm: dice.uuid(), target: 'vdb', vmName: `vm-of-${me.node}` });
      return volume && (await scribe.note(volume, { own: [owner], ...intentNotes(me, act, 'attach') }));
    },
    end: (scribe, { volume }) => scribe.note(volume, { op: [] }),
  },
  {
    what: 'detach',
    weight: 4,
    async begin(by) {
      const volume = await pick(by, (disk) => disk.owner !== undefined && isMine(disk, by));
      return volume && (await by.scribe.note(volume, { op: [intentNote(intentOf(by.me, by.act, 'detach'))] }));
    },
    end: (scribe, { volume }) => scribe.note(volume, { op: [], own: [], on: [] }),
  },
  {
    what: 'resize',
    weight: 2,
    async begin(by) {
      const volume = await pick(by, (disk) => isHere(disk, by) && isSmall(disk, by));
      return volume && (await by.scribe.note(volume, intentNotes(by.me, by.act, 'resize', volume.size + by.extent)));
    },
    end: finishResize,
  },
  {
    what: 'remove',
    weight: 2,
    async begin(by) {
      const volume = await pick(by, (disk) => !disk.owner && isHere(disk, by));
      if (volume) await by.scribe.remove(volume);
      return volume;
    },
  },
  {
    what: 'wipe',
    weight: 1,
    async begin(by) {
      const volume = await pick(by, (disk) => !disk.owner && isHere(disk, by));
      return volume && (await by.scribe.note(volume, intentNotes(by.me, by.act, 'wipe')));
    },
    end: (scribe, { volume }) => scribe.remove(volume),
  },
];

// Not empty, since OPERATIONS isn't.
const WEIGHTED = OPERATIONS.flatMap((operation) => Array.from({ length: operation.weight }, () => operation)) as [
  Operation,
  ...Operation[],
];

/** Rolls on, to the size that the intent has. */
export async function finishResize(scribe: Scribe, { volume, intent, owner }: Entry): Promise<void> {
  const size = BigInt(intent?.detail ?? volume.size);
  const grown = volume.size < size ? await scribe.extend(volume, size) : volume;
  await scribe.note(grown, { op: [], vsize: [String(size)], ...(owner ? {} : { on: [] }) });
}

const intentId = (act: string): string => act.replaceAll('/', '-');

function intentOf(me: Place, act: string, operation: Word, size?: bigint): Intent {
  return { operation, ...me, id: intentId(act), detail: size === undefined ? '' : String(size) };
}

const intentNotes = (me: Place, act: string, operation: Word, size?: bigint) => ({
  op: [intentNote(intentOf(me, act, operation, size))],
  on: [placeNote(me)],
});

async function freeName(scribe: Scribe, dice: Dice, names: readonly string[]): Promise<string | undefined> {
  const taken = new Set((await scribe.volumes()).map(({ name }) => name));
  return dice.pick(names.filter((name) => !taken.has(name)));
}

/** A disk that is at rest. */
async function pick({ scribe, dice }: Doing, fits: (disk: Entry) => boolean): Promise<Volume | undefined> {
  const disks = (await scribe.volumes()).flatMap((volume) => entryOf(volume) ?? []);
  return dice.pick(disks.filter((disk) => disk.intent === undefined && fits(disk)))?.volume;
}

const entryOf = (volume: Volume | undefined): Entry | undefined => volume && readEntry(volume);
const isMine = (disk: Entry, { me }: Hand): boolean => disk.on.some(({ node }) => node === me.node);
const isHere = (disk: Entry, { me }: Hand): boolean => disk.on.every(({ node }) => node === me.node);
const isSmall = (disk: Entry, { extent }: Hand): boolean => disk.volume.size < 24n * extent;
