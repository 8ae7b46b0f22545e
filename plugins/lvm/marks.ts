// What a VG's own tags say about who may write to it: format version and lock domain.
import type { Notes, SltvError } from 'sltv';
import { lvmErrors } from './errors.ts';
import type { VolumeGroup } from './report.ts';

/** Whose locks this daemon has, and whether the config names the VG: only then may it be made a pool. */
export interface Claim {
  readonly domain: string;
  readonly named: boolean;
}

/** The notes of a VG that is a pool of ours. */
export const marksOf = (domain: string): Notes => ({ v: [FORMAT], lock: [domain] });

/** Says why this daemon must not write to the VG; undefined when it may. */
export function whyReadOnly(group: VolumeGroup, { domain, named }: Claim): SltvError | undefined {
  const { name, notes } = group;
  const version = notes.v?.find((value) => value !== FORMAT);
  if (version !== undefined) {
    return lvmErrors('format-newer', `volume group ${name} has format ${version}, this sltv writes format ${FORMAT}`, {
      hint: 'upgrade sltv on this host',
    });
  }
  const other = notes.lock?.find((value) => value !== domain);
  if (other !== undefined) {
    return lvmErrors('other-domain', `volume group ${name} is locked by ${other}, this daemon's locks are ${domain}`, {
      hint: `change it where its locks are; when nobody uses those any more: vgchange --deltag sltv:lock=${other} ${name}`,
    });
  }
  if (notes.lock === undefined && !named) {
    return lvmErrors('read-only', `volume group ${name} is marked as a pool, but for no lock domain`, {
      hint: `to take it over, name it in the config: lvm({ vgs: ['${name}'] })`,
    });
  }
  if (group.devicesMissing > 0) {
    return lvmErrors('device-lost', `volume group ${name} lacks ${group.devicesMissing} of its physical volumes`, {
      hint: `bring them back; vgs -o +pv_name,pv_missing ${name} says which`,
    });
  }
  if (!group.writable) {
    return lvmErrors('read-only', `volume group ${name} is exported, or set read-only`, {
      hint: `vgs -o +vg_exported,vg_permissions ${name}`,
    });
  }
  return undefined;
}

/** Whether the VG still lacks the marks of a pool of ours. */
export const isUnmarked = ({ notes }: VolumeGroup): boolean => notes.v === undefined || notes.lock === undefined;

/** The format on storage that we write. */
const FORMAT = '1';
