// The VGs of this host as Storage.
import type { Locks, Log, NewPool, Pool, SltvError, Storage } from 'sltv';
import type { Lvm } from './commands.ts';
import { devicesLacking, metadataSizeFor } from './devices.ts';
import { createDiscovery } from './discovery.ts';
import { lvmErrors } from './errors.ts';
import { mustHold } from './guard.ts';
import { type Claim, marksOf, systemIdOf } from './marks.ts';
import type { LockTimes } from './measures.ts';
import { VG_NAME } from './names.ts';
import { createPool } from './pool.ts';
import { tagsOf } from './tags.ts';

export interface StorageOptions {
  readonly lvm: Lvm;
  readonly locks: Locks;
  readonly log: Log;
  /** The VGs that the config names. */
  readonly vgs: readonly string[];
  readonly node: Claim['node'];
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
  /** Told what turns cost. */
  readonly times?: LockTimes;
  /** Milliseconds, on a clock that only goes forward. */
  readonly now?: () => number;
}

/** Runs no command before it is asked for pools. */
export function createStorage(options: StorageOptions): Storage & Required<Pick<Storage, 'createPool'>> {
  const { lvm, locks, log, vgs, node, life, times, now = () => performance.now() } = options;
  const discovery = createDiscovery({ lvm, log, vgs, life, now });
  /** By uuid and name of the VG: a pool that is still there stays the same object, and keeps its queue. */
  let known: ReadonlyMap<string, Pool> = new Map();

  async function pools(signal: AbortSignal, wanted?: string): Promise<readonly Pool[]> {
    const sightings = await discovery.look(signal, wanted);
    known = new Map(
      sightings.map((sighting) => {
        const key = `${sighting.uuid} ${sighting.name}`;
        const named = vgs.includes(sighting.name);
        const { forget: vanished } = discovery;
        return [key, known.get(key) ?? createPool({ lvm, locks, log, sighting, named, node, life, vanished, times })];
      }),
    );
    return [...known.values()];
  }

  async function make({ name, devices }: NewPool, signal: AbortSignal): Promise<Pool> {
    if (!VG_NAME.test(name)) {
      throw lvmErrors(
        'bad-name',
        `'${name}' can't be a volume group: letters, digits and _ . + - only, no hyphen first`,
        { hint: 'such as vg-fast' },
      );
    }
    if (devices.length === 0) throw lvmErrors('device-missing', `pool ${name} needs a device to stand on`);
    await using lease = await locks.acquire(`pool/${name}`, signal);
    const distinct = await devicesLacking(devices, []);
    const metadata = await metadataSizeFor(distinct);
    const marks = tagsOf(marksOf({ domain: locks.domain, named: true, node })).flatMap((tag) => ['--addtag', tag]);
    const systemId = systemIdOf(locks.domain);
    const identified = systemId === undefined ? [] : ['--systemid', systemId];
    const settings = ['--metadatasize', `${metadata}b`, '--setautoactivation', 'n', ...identified, ...marks];
    signal.throwIfAborted();
    await mustHold(lease, name);
    const subject = { vg: name, ...(systemId === undefined ? {} : { systemId }) };
    await lvm.commit(['vgcreate', ...settings, name, ...distinct], undefined, subject);
    discovery.forget();
    const made = (await pools(life)).find((pool) => pool.name === name);
    if (!made) throw lvmErrors('vg-missing', `volume group ${name} was made, and is not there`);
    return made;
  }

  function absence(name: string): SltvError | undefined {
    if (!vgs.includes(name)) return discovery.sees(name) ? notPool(name) : undefined;
    return (
      discovery.trouble() ??
      lvmErrors('vg-missing', `volume group ${name}, which the config names, is not on this host`, {
        hint: `vgs lists those that are there; sltv pool create ${name} /dev/… makes it`,
      })
    );
  }

  return { kind: 'lvm', pools, seen: () => [...known.values()], absence, createPool: make };
}

const notPool = (name: string): SltvError =>
  lvmErrors('not-a-pool', `${name} is a volume group of this host, and no pool`, {
    hint: `name it in the config, and restart the daemon: lvm({ vgs: ['${name}'] })`,
  });
