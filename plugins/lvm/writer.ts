// A turn at a VG: every commit that sltv makes on LVM is a line of this file.
import { type Lease, type NewVolume, type Notes, roundUp, SltvError, type Volume, type Writer } from 'sltv';
import { isActive, setActive } from './activation.ts';
import type { Catalogue } from './catalogue.ts';
import type { Lvm } from './commands.ts';
import { lvmErrors, metadataFull, metadataFullHint, type Subject } from './errors.ts';
import { type Guard, mustHold } from './guard.ts';
import { objectionTo } from './names.ts';
import { type Kind, reportKind, type TaggedVolume, type VolumeGroup } from './report.ts';
import { tagChanges, tagsOf } from './tags.ts';
import { pause } from './waiting.ts';

export interface TurnAtGroup {
  readonly lvm: Lvm;
  readonly catalogue: Catalogue;
  readonly lease: Lease;
  /** Where other hosts may write the VG, too. */
  readonly guard: Guard | undefined;
  /** Fires when the daemon stops. A turn's own signal ends its waiting only: what it began is for its work to end. */
  readonly life: AbortSignal;
}

/**
 * A Writer, and what pools need beside it. Disposing of it ends the turn: that waits for the command that may still run,
 * and lets no other begin.
 */
export interface GroupWriter extends Required<Writer>, AsyncDisposable {
  /** The VG as it stands now. */
  group(): Promise<VolumeGroup>;
  /** One commit of the VG as a whole, with a look at its own devices, or at all for one that brings new ones. */
  commitGroup(words: readonly string[], reach: 'own devices' | 'all devices'): Promise<void>;
}

export function createWriter({ lvm, catalogue, lease, guard, life }: TurnAtGroup): GroupWriter {
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();
  let seen: { readonly group: VolumeGroup; readonly until: number } | undefined;

  /** One thing at a time, also when the work does not wait for one before it asks for the next. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = last.then(() => {
      if (closed) throw new Error('this turn is over');
      return act();
    });
    last = done.catch(() => {});
    return done;
  }

  /** The last moment to stop: what begins after this is waited for. */
  async function commit(
    words: readonly string[],
    group: VolumeGroup,
    subject: Omit<Subject, 'vg'>,
    reach = 'own devices',
  ) {
    await mustHold(lease, group.name);
    const about = { vg: group.name, systemId: group.systemId, free: group.free, ...subject };
    const over = reach === 'own devices' ? group.devices : undefined;
    const run = (word?: string) => lvm.commit(words, over, about, word);
    seen = undefined;
    await (guard ? guard.watch(run) : run());
  }

  /** The VG as it stands: what was seen a moment ago in this turn still counts, unless we have written since. */
  async function look(): Promise<VolumeGroup> {
    if (seen === undefined || performance.now() >= seen.until) {
      const group = await catalogue.look(life);
      seen = { group, until: performance.now() + MOMENT };
    }
    return seen.group;
  }

  const readBack = async (name: string) => mustHave(await look(), name).volume;

  async function create({ name, size, notes, active }: NewVolume): Promise<Volume> {
    const group = await look();
    const objection = objectionTo(group.name, name);
    if (objection) throw lvmErrors('bad-name', objection);
    if (group.metadata.free < group.metadata.size / KEPT_FOR_EXTENSIONS) {
      throw lvmErrors('metadata-full', metadataFull({ vg: group.name }), { hint: metadataFullHint() });
    }
    const needed = roundUp(size, group.extent);
    const words = ['lvcreate', ...AS_OURS, '--activate', active ? 'y' : 'n', ...options('--addtag', tagsOf(notes))];
    await commit([...words, '--size', `${needed}b`, '--name', name, group.name], group, { volume: name, needed });
    return readBack(name);
  }

  async function extend(name: string, size: bigint): Promise<Volume> {
    const group = await look();
    const { volume } = mustHave(group, name);
    if (volume.size >= size) return volume;
    const target = roundUp(size, group.extent);
    try {
      await commit(['lvextend', '--size', `${target}b`, `${group.name}/${name}`], group, {
        volume: name,
        needed: target - volume.size,
      });
    } catch (error) {
      // Another process of this host, a hook or the daemon, was first: what counts is what the volume has.
      if (!(error instanceof SltvError) || error.code !== 'lvm/size-reached') throw error;
    }
    return readBack(name);
  }

  async function annotate(name: string, change: { add?: Notes; drop?: Notes; activate?: boolean }): Promise<Volume> {
    const group = await look();
    const { volume, tags } = mustHave(group, name);
    const { add, drop } = tagChanges(tags, change);
    const activate = change.activate === true && !(await isActive(volume));
    if (add.length + drop.length === 0 && !activate) return volume;
    // lvm commits the tags before it activates; the other way round, `-an` with tags, would not be safe.
    const words = ['lvchange', ...(activate ? ['--activate', 'y'] : []), ...options('--addtag', add)];
    await commit([...words, ...options('--deltag', drop), `${group.name}/${name}`], group, { volume: name });
    if (add.length + drop.length === 0) return volume;
    const now = [...tags.filter((tag) => !drop.includes(tag)), ...add];
    return mustHave(await catalogue.retag(group, name, now, life), name).volume;
  }

  async function adopt(name: string, { notes, isInUse }: { notes: Notes; isInUse: boolean }): Promise<Volume> {
    const group = await look();
    const { volume, tags } = mustHave(group, name);
    mustBePlain(`${group.name}/${name}`, await reportKind(lvm, group, name, life));
    // What LVM takes away nobody had open: no mount, no swap, no device on top of it, no QEMU that libvirt does not know.
    if (!isInUse && (await isActive(volume))) await setActive(lvm, group, name, false);
    const { add } = tagChanges(tags, { add: notes });
    const words = ['lvchange', '--setautoactivation', 'n', ...options('--addtag', add)];
    await commit([...words, `${group.name}/${name}`], group, { volume: name });
    return readBack(name);
  }

  async function release(name: string): Promise<void> {
    const group = await look();
    const { tags = [], volume } = group.volumes.get(name) ?? {};
    if (!volume) return;
    const { drop } = tagChanges(tags, { drop: volume.notes });
    if (drop.length === 0) return;
    const words = ['lvchange', '--setautoactivation', 'y', ...options('--deltag', drop)];
    await commit([...words, `${group.name}/${name}`], group, { volume: name });
  }

  async function remove(name: string): Promise<void> {
    const group = await look();
    if (!group.volumes.has(name)) return;
    await commit(['lvremove', '--yes', `${group.name}/${name}`], group, { volume: name });
    lookLater();
  }

  async function annotatePool(change: { add?: Notes; drop?: Notes }): Promise<void> {
    const group = await look();
    const { add, drop } = tagChanges(group.tags, change);
    if (add.length + drop.length === 0) return;
    await commit(['vgchange', ...options('--addtag', add), ...options('--deltag', drop), group.name], group, {});
  }

  /**
   * Behind the answer: whoever asks next finds it done, or begun. What goes wrong with it they hear themselves. It tells this
   * turn nothing: what it finds while the turn's next command runs is past when that ends.
   */
  function lookLater(): void {
    pause(ANSWERED, life)
      .then(() => catalogue.look(life))
      .catch(() => {});
  }

  return {
    group: () => inTurn(look),
    find: (name) => inTurn(async () => (await look()).volumes.get(name)?.volume),
    volumes: () => inTurn(async () => volumesIn(await look())),
    create: (volume) => inTurn(() => create(volume)),
    extend: (name, size) => inTurn(() => extend(name, size)),
    annotate: (name, change) => inTurn(() => annotate(name, change)),
    adopt: (name, how) => inTurn(() => adopt(name, how)),
    release: (name) => inTurn(() => release(name)),
    remove: (name) => inTurn(() => remove(name)),
    annotatePool: (change) => inTurn(() => annotatePool(change)),
    commitGroup: (words, reach) => inTurn(async () => commit(words, await look(), {}, reach)),
    async [Symbol.asyncDispose]() {
      closed = true;
      await last;
    },
  };
}

/** The volumes of a VG, by name. */
export function volumesIn(group: VolumeGroup): Volume[] {
  return [...group.volumes.values()].map(({ volume }) => volume);
}

/** Refuses what is more, or less, than a stretch of the VG by itself. Errors: `lvm/not-adoptable`. */
function mustBePlain(name: string, { layout, role, isWritable }: Kind): void {
  const isPlain = (layout === 'linear' || layout === 'striped') && role === 'public';
  if (isPlain && isWritable) return;
  if (isPlain) {
    throw lvmErrors('not-adoptable', `${name} is read-only: a guest could not write to it`, {
      hint: `lvchange --permission rw ${name}`,
    });
  }
  throw lvmErrors('not-adoptable', `${name} can't be a disk: it is ${whatItIs(layout, role)}`, {
    hint: 'a disk is a linear or striped volume by itself: lvs -o lv_name,lv_layout,lv_role says what each is',
  });
}

function whatItIs(layout: string, role: string): string {
  const words = `${layout},${role}`.split(',');
  return KINDS.find(([word]) => words.includes(word))?.[1] ?? `of the kind ${layout}, ${role}`;
}

/** In this order: a thin pool is thin, too. */
const KINDS: readonly (readonly [word: string, what: string])[] = [
  ['pool', 'a pool of volumes'],
  ['origin', 'the origin of a snapshot'],
  ['snapshot', 'a snapshot'],
  ['thin', "a volume of LVM's own thin provisioning"],
  ['cache', 'cached'],
  ['raid', 'a RAID'],
  ['mirror', 'a mirror'],
];

/** Finds a volume. Errors: `lvm/volume-missing`. */
export function mustHave(group: VolumeGroup, name: string): TaggedVolume {
  const entry = group.volumes.get(name);
  if (entry) return entry;
  throw lvmErrors('volume-missing', `there is no volume ${group.name}/${name}`, { hint: `sltv disk list` });
}

/**
 * New volumes are refused when less than this part of the metadata area is left: an extension may need room there, too,
 * and a guest would stop without it.
 */
const KEPT_FOR_EXTENSIONS = 16n;

/**
 * Milliseconds. Less than an lvm command takes to reach its own look at the metadata, which is the one that counts: what
 * another program commits in between meets both alike.
 */
const MOMENT = 10;

/** Milliseconds after a commit by which its caller has most likely been answered. */
const ANSWERED = 100;

/** Never activated by itself, and not wiped by lvm, which would only clear 4 KiB. */
const AS_OURS = '--yes --type linear --setautoactivation n --wipesignatures n --zero n'.split(' ');

function options(flag: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [flag, value]);
}
