// Keeps every thin disk of a running VM ahead of its guest.
import { type Disk, type HypervisorEvent, larger, MiB } from 'sltv';
import { coalesce } from './coalesce.ts';
import { type Guarded, guard, hasRoom, observe, sawFill } from './guarded.ts';
import { createLimits } from './limits.ts';
import type { Means } from './means.ts';
import type { Decision } from './policy.ts';
import { createRooms } from './rooms.ts';
import { settingsOf } from './settings.ts';
import { createSettling } from './settle.ts';
import { type Sighting, sightingsOf } from './sight.ts';

export interface Keeper {
  /**
   * Looks at all guests and disks, and brings each disk to where it should be: extended, and its arming asked for. It repairs
   * whatever events missed. Never throws.
   */
  look(): Promise<void>;
  /** A threshold was crossed. Never throws. */
  crossed(event: Extract<HypervisorEvent, { type: 'threshold' }>): Promise<void>;
  /**
   * For a guest that stands still because its disk is full: true when it has room to go on. `anyway`: it had room and it did
   * not help. The limit of a full image doesn't hold here: whoever is full at it has snapshots that nobody knew of.
   */
  makeRoom(guarded: Guarded, anyway: boolean): Promise<boolean>;
  /** Every thin disk in a running VM. */
  guarded(): readonly Guarded[];
  /** What should be done about it now. */
  plan(guarded: Guarded): Decision;
}

export function createKeeper(means: Means): Keeper {
  const { disks, hypervisor, log, life, now, shortages } = means;
  const book = new Map<string, Guarded>();
  const guarded = () => [...book.values()];
  const rooms = createRooms(means);
  const { settle, extendBy, plan } = createSettling(means, rooms);
  const learnLimits = createLimits(means, guarded, settle);

  const look = coalesce(async () => {
    const asOf = now();
    try {
      const [statistics, thin] = await Promise.all([hypervisor.statistics(life), thinDisks()]);
      takeOver(await sightingsOf(statistics, thin), asOf);
    } catch (error) {
      if (life.aborted) return;
      log.warn('the guests could not be looked at; it is tried again', { error });
      means.again();
      return;
    }
    await Promise.all(guarded().map(settle));
    const short = guarded().filter(rooms.isShort);
    shortages.endUnless(short.map(({ disk }) => disk.pool));
    void learnLimits();
  });

  /** Those whose volume has an end that a guest can reach. */
  async function thinDisks(): Promise<readonly Disk[]> {
    await rooms.look();
    const call = { signal: life, caller: { name: 'autoextend', role: 'admin' as const }, requestId: '' };
    return (await disks.list({}, call)).filter(({ pool, mode }) => mode === 'thin' && rooms.has(pool));
  }

  function takeOver(seen: readonly Sighting[], asOf: number): void {
    const before = new Map(book);
    book.clear();
    for (const { disk, device } of seen) {
      const key = keyOf(device.vm, device.target);
      const known = before.get(key);
      const each = known?.disk.id === disk.id ? known : guard(disk, device);
      observe(each, disk, device, asOf);
      book.set(key, each);
    }
    const still = new Set(book.values());
    for (const each of before.values()) {
      // Its next QEMU counts from 0 again; so does one that a copy has taken the place of.
      if (!still.has(each) && each.fill > 0n) disks.noteEnd(each.disk, each.fill, true);
    }
  }

  async function crossed({ vm, target, path, threshold, excess }: Parameters<Keeper['crossed']>[0]): Promise<void> {
    const each = book.get(keyOf(vm, target));
    // Started, attached or pivoted since the last look: what is there counts, not the event.
    if (each === undefined || each.path !== path) return await look();
    each.armed = { offset: undefined, asOf: now() };
    sawFill(each, threshold + excess, now());
    await settle(each);
  }

  async function makeRoom(full: Guarded, anyway: boolean): Promise<boolean> {
    if (settingsOf(full.disk).isOff) return false;
    await settle(full);
    if (hasRoom(full) && !anyway) return true;
    const { physical } = full;
    await extendBy(full, larger(physical / 8n, 64n * MiB));
    await settle(full);
    // Behind all that its guest waits for.
    disks.noteEnd(full.disk, full.fill);
    return anyway ? full.physical > physical : hasRoom(full);
  }

  return { look, crossed, makeRoom, guarded, plan };
}

const keyOf = (vm: string, target: string): string => `${vm}/${target}`;
