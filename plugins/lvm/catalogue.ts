// What a VG holds, kept for as long as its metadata's header stays the same.
import { SltvError } from 'sltv';
import type { Devices, Lvm } from './commands.ts';
import { lvmErrors } from './errors.ts';
import { createIdentityReader, type Identity, type ReadIdentity } from './identity.ts';
import { reportGroup, type Sighting, type VolumeGroup } from './report.ts';
import { notesOf } from './tags.ts';
import { waitFor } from './waiting.ts';

export interface Catalogue {
  /** The VG as of its last commit: from memory while that is the one remembered, else by one report. */
  look(signal: AbortSignal): Promise<VolumeGroup>;
  /**
   * After our own commit that changed one volume's tags only: remembers that, when ours is provably the only commit
   * since, and spares a report. What is free in the metadata area stays as reported last.
   */
  retag(seen: VolumeGroup, volume: string, tags: readonly string[], signal: AbortSignal): Promise<VolumeGroup>;
  /** Which commit the VG is at, and how its text ends: from its devices, now. Undefined when one of them can't be read. */
  readIdentity(): ReturnType<ReadIdentity>;
}

export interface CatalogueOptions {
  readonly lvm: Lvm;
  readonly sighting: Sighting;
  /** Ends reports when the daemon stops; a caller's own signal ends only its waiting, since others may share it. */
  readonly life: AbortSignal;
  /** Told when the VG is not there any more. */
  readonly vanished: () => void;
}

export function createCatalogue({ lvm, sighting, life, vanished }: CatalogueOptions): Catalogue {
  const readIdentity = createIdentityReader();
  const readWithEndings = createIdentityReader({ withEndings: true });
  let devices: Pick<VolumeGroup, 'devices' | 'metadataDevices'> = sighting;
  let known: { readonly identity: Identity; readonly group: VolumeGroup } | undefined;
  let asked: { readonly mark: string; readonly answer: Promise<VolumeGroup> } | undefined;

  /** The identity was read before the report: after a commit between the two, the next look finds another one. */
  async function ask(identity: Identity | undefined): Promise<VolumeGroup> {
    const group = await reportWhole(lvm, sighting, devices.devices, life).catch((error: unknown) => {
      if (isMissing(error)) vanished();
      throw error;
    });
    devices = group;
    // A device that comes back changes no header.
    known = identity && group.devicesMissing === 0 ? { identity, group } : undefined;
    return group;
  }

  async function look(): Promise<VolumeGroup> {
    const identity = await readIdentity(devices.metadataDevices);
    if (identity === undefined) return ask(undefined);
    if (known?.identity.mark === identity.mark) return known.group;
    if (asked?.mark !== identity.mark) {
      const answer = ask(identity).finally(() => {
        if (asked?.answer === answer) asked = undefined;
      });
      asked = { mark: identity.mark, answer };
    }
    return asked.answer;
  }

  return {
    look: (signal) => waitFor(look(), signal),
    async retag(seen, name, tags, signal) {
      const entry = seen.volumes.get(name);
      const identity = await waitFor(readIdentity(devices.metadataDevices), signal);
      if (!entry || identity?.sequence !== seen.sequence + 1) return waitFor(look(), signal);
      const sorted = tags.toSorted();
      const volume = { ...entry.volume, notes: notesOf(sorted) };
      const volumes = new Map(seen.volumes).set(name, { volume, tags: sorted });
      const group = { ...seen, sequence: identity.sequence, volumes };
      known = { identity, group };
      return group;
    },
    async readIdentity() {
      const identity = await readWithEndings(devices.metadataDevices);
      if (identity) return identity;
      // One of the devices may not be the VG's any more.
      await look().catch(() => {});
      return readWithEndings(devices.metadataDevices);
    },
  };
}

/** Over the devices that were seen last; over all when those are not the VG's devices any more. */
async function reportWhole(lvm: Lvm, { name, uuid }: Sighting, devices: Devices, life: AbortSignal) {
  const narrow = await reportGroup(lvm, name, devices, life).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
  if (narrow?.uuid === uuid && narrow.devicesMissing === 0) return narrow;
  const wide = await reportGroup(lvm, name, undefined, life);
  if (wide.uuid === uuid) return wide;
  throw lvmErrors('vg-missing', `volume group ${name} is another one now`, { hint: 'sltv pool list' });
}

const isMissing = (error: unknown): boolean => error instanceof SltvError && error.kind === 'not-found';
