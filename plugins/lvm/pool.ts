// A VG as a pool.
import {
  createQueue,
  type Lease,
  type Locks,
  type Log,
  type Pool,
  type PoolFacts,
  SltvError,
  type Turn,
  type Writer,
} from 'sltv';
import { isActive, isCurrent, refresh, setActive } from './activation.ts';
import { createCatalogue } from './catalogue.ts';
import type { Lvm } from './commands.ts';
import { devicesLacking, metadataSizeFor } from './devices.ts';
import { lvmErrors } from './errors.ts';
import { createGuard, type Found } from './guard.ts';
import {
  type Claim,
  isOf,
  isShared,
  lackingMarks,
  whyNotOurs,
  whyNotShareable,
  whyNotTakeable,
  whyReadOnly,
} from './marks.ts';
import type { LockTimes } from './measures.ts';
import { objectionTo } from './names.ts';
import type { Sighting, VolumeGroup } from './report.ts';
import { tagChanges } from './tags.ts';
import { createTenures, type Tenure } from './tenure.ts';
import { createWriter, type GroupWriter, mustHave, volumesIn } from './writer.ts';

export interface PoolOptions {
  readonly lvm: Lvm;
  readonly locks: Locks;
  readonly log: Log;
  readonly sighting: Sighting;
  /** The config names this VG. */
  readonly named: boolean;
  readonly node: Claim['node'];
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
  /** Told when the VG is not there any more. */
  readonly vanished: () => void;
  readonly times?: LockTimes | undefined;
}

export function createPool(options: PoolOptions): Required<Omit<Pool, 'objectsTo'>> & Pool {
  const { lvm, locks, log, sighting, named, node, life, vanished, times } = options;
  const { name, uuid } = sighting;
  const claim: Claim = { domain: locks.domain, named, node };
  const catalogue = createCatalogue({ lvm, sighting, life, vanished });
  const queue = createQueue();
  /** What the last turn here found. Another node may have accepted it since: then it is shown until somebody commits. */
  let wrong: Found | undefined;
  /** When this daemon last got the lock. */
  let heldSince = 0;

  /** Locks know a VG by its uuid, people by its name. */
  async function acquire(signal: AbortSignal): Promise<Lease> {
    const lock = `vg/${uuid}`;
    return await locks.acquire(lock, signal).catch((error: unknown) => {
      if (!(error instanceof SltvError && error.message.includes(lock))) throw error;
      const message = error.message.replaceAll(lock, `of volume group ${name}`);
      throw new SltvError(error.kind, error.code, message, { hint: error.hint, cause: error.cause });
    });
  }

  const tenures = createTenures({
    isAwaited: queue.isAwaited,
    async begin(signal) {
      await using stack = new AsyncDisposableStack();
      const lease = stack.use(await acquire(signal));
      heldSince = performance.now();
      const { handover } = lease;
      if (handover !== undefined && !handover.isOrderly) {
        log.warn(
          `the last holder of the lock on volume group ${name} did not give it back: waiting for what it began here`,
        );
        await lvm.settle(name, AbortSignal.any([signal, life]));
      }
      stack.move();
      const guard = handover && createGuard({ vg: sighting, lease, handover, read: catalogue.readIdentity, log });
      return { lease, guard };
    },
    async end({ lease, guard }) {
      await using _ = lease;
      using _ends = { [Symbol.dispose]: () => times?.held(name, performance.now() - heldSince) };
      if (guard === undefined) return;
      await guard.end().finally(() => {
        wrong = guard.trouble();
      });
    },
  });

  /** Runs `work` alone on this host and, by the lock, among all hosts; with a guard where there are others. */
  async function locked<T>(turn: Turn, work: (tenure: Tenure) => Promise<T>): Promise<T> {
    const asked = performance.now();
    const timed = (tenure: Tenure) => {
      turn.tell?.({ stage: `writing to volume group ${name}` });
      times?.waited(name, performance.now() - asked);
      return work(tenure);
    };
    try {
      return await queue.run(turn, () => {
        turn.tell?.({ stage: `waiting for the lock of volume group ${name}` });
        return tenures.serve(turn.signal, timed);
      });
    } finally {
      // Who was to come next may have left in the last moment.
      if (!queue.isTaken()) await tenures.settle();
    }
  }

  /**
   * A turn: its work begins in a VG that carries the marks of these locks; `before` is done first in one that does not, or not
   * alone.
   */
  function change<T>(
    turn: Turn,
    work: (writer: GroupWriter) => Promise<T>,
    whyNot = whyReadOnly,
    before: (writer: Writer) => Promise<void> = async () => {},
  ): Promise<T> {
    return locked(turn, async ({ lease, guard }) => {
      await using writer = createWriter({ lvm, catalogue, lease, guard, life });
      const group = await writer.group();
      const refusal = whyNot(group, claim);
      if (refusal) throw refusal;
      await guard?.begin(!isOf(group, claim));
      const isNew = group.notes.lock?.join() !== claim.domain;
      await mark(writer, isNew ? await prepared(writer, before) : group, claim);
      return await work(writer);
    });
  }

  return {
    name,
    id: uuid,
    kind: 'lvm',
    source: 'block',
    facts: async (signal) => factsOf(await catalogue.look(signal), claim, wrong),
    volumes: async (signal) => volumesIn(await catalogue.look(signal)),
    change: (turn, work) => change(turn, (writer: Writer) => work(writer)),
    async activate(volume, signal) {
      const group = await catalogue.look(signal);
      mustHave(group, volume);
      await setActive(lvm, group, volume, true);
    },
    async deactivate(volume, signal) {
      if (!(await isActive({ pool: name, name: volume }))) return;
      await setActive(lvm, await catalogue.look(signal), volume, false);
    },
    isActive,
    objectsTo: (volume) => objectionTo(name, volume),
    grow: (devices, signal) => change({ signal }, (writer) => grow(writer, devices)),
    isCurrent,
    refresh: async (volume, signal) => refresh(lvm, await catalogue.look(signal), volume),
    share: (signal) => change({ signal }, async () => {}, whyNotShareable),
    take: (signal, before) => change({ signal }, async () => {}, whyNotTakeable, before),
    accept: (signal) =>
      locked({ signal }, async ({ guard }) => {
        const refusal = whyReadOnly(await catalogue.look(life), claim);
        if (refusal) throw refusal;
        await guard?.accept();
      }),
    async shell(typed, signal) {
      const words = typed[0] === 'lvm' ? typed.slice(1) : typed;
      if (!/^[a-z]/.test(words[0] ?? '')) {
        const hint = `sltv pool shell ${name} -- lvm lvs`;
        throw lvmErrors('bad-command', `'${words[0] ?? ''}' is no command of lvm's`, { hint });
      }
      return await locked({ signal }, async ({ guard }) => {
        const group = await catalogue.look(life);
        const refusal = whyNotOurs(group, claim);
        if (refusal) throw refusal;
        const run = () => lvm.shell(words, { vg: name, systemId: group.systemId });
        return await (guard ? guard.adopt(run) : run());
      });
    },
  };
}

/** The VG as it is once that is done. */
async function prepared(writer: GroupWriter, before: (writer: Writer) => Promise<void>): Promise<VolumeGroup> {
  await before(writer);
  return await writer.group();
}

/**
 * Gives the VG the marks that it lacks: one commit, and one more for the system ID, which lvm sets in a command of its own;
 * behind the tags, since they alone keep other sltv off. Errors: `lvm/foreign-active`.
 */
async function mark(writer: GroupWriter, group: VolumeGroup, claim: Claim): Promise<void> {
  const lacking = lackingMarks(group, claim);
  if (!lacking) return;
  if (lacking.systemId !== undefined) await refuseOthersInUse(group);
  const { add, drop } = tagChanges(group.tags, lacking);
  if (add.length + drop.length > 0) {
    const quiet = group.autoActivated && lacking.isQuiet ? ['--setautoactivation', 'n'] : [];
    const tags = [...add.flatMap((tag) => ['--addtag', tag]), ...drop.flatMap((tag) => ['--deltag', tag])];
    await writer.commitGroup(['vgchange', ...quiet, ...tags, group.name], 'own devices');
  }
  if (lacking.systemId !== undefined) {
    await writer.commitGroup(['vgchange', '--yes', '--systemid', lacking.systemId, group.name], 'own devices');
  }
}

/** A VG with our system ID is nobody else's to activate: a host that boots from it would not come up again. */
async function refuseOthersInUse(group: VolumeGroup): Promise<void> {
  const foreign = volumesIn(group).filter(({ notes }) => notes.v === undefined);
  const inUse: string[] = [];
  for (const volume of foreign) if (await isActive(volume)) inUse.push(volume.name);
  if (inUse.length === 0) return;
  throw lvmErrors(
    'foreign-active',
    `volume group ${group.name} can't be shared: this host uses volumes in it that are not sltv's: ${inUse.join(', ')}`,
    { hint: `nothing but sltv could activate them any more: move them to another volume group, or lvchange -an them` },
  );
}

/**
 * One commit. The smallest metadata area of a VG counts, so a new device gets one as large, or none when it is small.
 * Errors: `lvm/device-missing`, `lvm/device-in-use`.
 */
async function grow(writer: GroupWriter, devices: readonly string[]): Promise<void> {
  const group = await writer.group();
  const lacking = await devicesLacking(devices, group.devices);
  if (lacking.length === 0) return;
  const area = 2n * group.metadata.size;
  const small = (await metadataSizeFor(lacking)) < area;
  const metadata = small ? ['--pvmetadatacopies', '0'] : ['--metadatasize', `${area}b`];
  await writer.commitGroup(['vgextend', ...metadata, group.name, ...lacking], 'all devices');
}

function factsOf(group: VolumeGroup, claim: Claim, wrong: Found | undefined): PoolFacts {
  const { size, free, extent, devices, metadata, notes } = group;
  const found = wrong?.sequence === group.sequence ? wrong.error : undefined;
  return {
    size,
    free,
    extent,
    devices,
    metadata,
    notes,
    isShared: isShared(claim.domain) && isOf(group, claim),
    readOnlyBecause: (whyReadOnly(group, claim) ?? found)?.message,
  };
}
