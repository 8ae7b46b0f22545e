// A VG as a pool.
import { createQueue, type Locks, type Pool, type PoolFacts, type Turn, type Writer } from 'sltv';
import { isActive, setActive } from './activation.ts';
import { createCatalogue } from './catalogue.ts';
import type { Lvm } from './commands.ts';
import { devicesLacking, metadataSizeFor } from './devices.ts';
import { type Claim, isUnmarked, marksOf, whyReadOnly } from './marks.ts';
import { objectionTo } from './names.ts';
import type { Sighting, VolumeGroup } from './report.ts';
import { tagChanges } from './tags.ts';
import { createWriter, type GroupWriter, mustHave, volumesIn } from './writer.ts';

export interface PoolOptions {
  readonly lvm: Lvm;
  readonly locks: Locks;
  readonly sighting: Sighting;
  /** The config names this VG. */
  readonly named: boolean;
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
  /** Told when the VG is not there any more. */
  readonly vanished: () => void;
}

export function createPool({ lvm, locks, sighting, named, life, vanished }: PoolOptions): Pool {
  const { name } = sighting;
  const claim: Claim = { domain: locks.domain, named };
  const catalogue = createCatalogue({ lvm, sighting, life, vanished });
  const queue = createQueue();

  function change<T>(turn: Turn, work: (writer: GroupWriter) => Promise<T>): Promise<T> {
    return queue.run(turn, async () => {
      await using lease = await locks.acquire(`vg/${sighting.uuid}`, turn.signal);
      await using writer = createWriter({ lvm, catalogue, lease, life });
      const group = await writer.group();
      const refusal = whyReadOnly(group, claim);
      if (refusal) throw refusal;
      if (isUnmarked(group)) await mark(writer, group, claim);
      return await work(writer);
    });
  }

  return {
    name,
    id: sighting.uuid,
    kind: 'lvm',
    source: 'block',
    facts: async (signal) => factsOf(await catalogue.look(signal), claim),
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
  };
}

/** One commit. A VG that holds other volumes keeps its own word about auto-activation: the host may boot from it. */
async function mark(writer: GroupWriter, group: VolumeGroup, { domain }: Claim): Promise<void> {
  const { add } = tagChanges([], { add: marksOf(domain) });
  const quiet = group.autoActivated && group.volumes.size === 0 ? ['--setautoactivation', 'n'] : [];
  await writer.commitGroup(
    ['vgchange', ...quiet, ...add.flatMap((tag) => ['--addtag', tag]), group.name],
    'own devices',
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

function factsOf(group: VolumeGroup, claim: Claim): PoolFacts {
  const { size, free, extent, devices, metadata } = group;
  return { size, free, extent, devices, metadata, readOnlyBecause: whyReadOnly(group, claim)?.message };
}
