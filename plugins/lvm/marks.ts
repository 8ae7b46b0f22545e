// What a VG says of itself about who may write to it: format version, lock domain, system ID, members, and who is fenced.
import type { Node, Notes, SltvError } from 'sltv';
import { lvmErrors } from './errors.ts';
import type { VolumeGroup } from './report.ts';

/** Whose locks this daemon has, and whether the config names the VG: only then may it be made a pool. */
export interface Claim {
  readonly domain: string;
  readonly named: boolean;
  readonly node: Pick<Node, 'id' | 'machineId' | 'bootId'>;
}

/** Whether other hosts have locks of this domain, too. */
export const isShared = (domain: string): boolean => !domain.startsWith(LOCAL);

/**
 * The system ID of the VGs that these locks protect, where other hosts see them: stock lvm commands refuse such a VG, and
 * nothing activates it by itself. Only commands of sltv's carry the ID, each its own; the host's own stays what it is.
 */
export function systemIdOf(domain: string): string | undefined {
  // LVM drops other characters without a word.
  const id = domain.slice(domain.indexOf('/') + 1).replace(/[^A-Za-z0-9._-]/g, '-');
  return isShared(domain) ? `${SYSTEM_ID_PREFIX}${id}` : undefined;
}

/** The notes of a VG that is a pool of ours. */
export function marksOf({ domain, node }: Claim): Notes {
  return { v: [FORMAT], lock: [domain], ...(isShared(domain) ? { member: [node.id] } : {}) };
}

/** Says why this daemon must not write to the VG; undefined when it may. */
export function whyReadOnly(group: VolumeGroup, claim: Claim): SltvError | undefined {
  return whyNotOurs(group, claim) ?? whyNotWhole(group);
}

/** The same, but for what is wrong with the VG itself: a person may have to mend that. */
export function whyNotOurs(group: VolumeGroup, claim: Claim): SltvError | undefined {
  return whyNotFormat(group) ?? whyNotDomain(group, claim) ?? whyNotNamed(group, claim) ?? whyFenced(group, claim);
}

/** Says why the VG can't be given to this daemon's locks; undefined when it can, or is theirs already. */
export function whyNotShareable(group: VolumeGroup, claim: Claim): SltvError | undefined {
  const { name } = group;
  if (!isShared(claim.domain)) {
    return lvmErrors('not-shareable', `this daemon's locks are ${claim.domain}: no other host has them`, {
      hint: `add etcdLock({ endpoints: […] }) to plugins on every host that is to share ${name}, then again`,
    });
  }
  const mine = `${LOCAL}${claim.node.machineId}`;
  return whyNotWithout(group, claim, (value) => value === mine);
}

/** Says why the VG can't be taken over from a host that is gone; undefined when it can, or is these locks' already. */
export function whyNotTakeable(group: VolumeGroup, claim: Claim): SltvError | undefined {
  return whyNotWithout(group, claim, (value) => !isShared(value) && value !== claim.domain);
}

/** Says why this daemon must not write to the VG, were it not for some locks that it is marked with. */
function whyNotWithout(group: VolumeGroup, claim: Claim, isLeftOut: (lock: string) => boolean): SltvError | undefined {
  const lock = group.notes.lock?.filter((value) => !isLeftOut(value)) ?? [];
  const without = { ...group, notes: { ...group.notes, lock } };
  return whyNotFormat(group) ?? whyNotDomain(without, claim) ?? whyFenced(group, claim) ?? whyNotWhole(group);
}

/** Whether the VG carries the mark of these locks. */
export const isOf = ({ notes }: VolumeGroup, { domain }: Claim): boolean => notes.lock?.includes(domain) ?? false;

/** What a VG that this daemon may write, or may share, still lacks of a pool of its locks; undefined when nothing. */
export function lackingMarks(group: VolumeGroup, claim: Claim) {
  const marks = marksOf(claim);
  const isThere = (key: string) => marks[key]?.every((value) => group.notes[key]?.includes(value)) ?? false;
  const others = group.notes.lock?.filter((value) => value !== claim.domain) ?? [];
  const systemId = systemIdOf(claim.domain);
  const lacksId = systemId !== undefined && group.systemId !== systemId;
  if (Object.keys(marks).every(isThere) && others.length === 0 && !lacksId) return undefined;
  return {
    add: marks,
    drop: { lock: others },
    /** The host may boot from a VG that holds other volumes; what other hosts see, too, must not come up by itself. */
    isQuiet: isShared(claim.domain) || group.volumes.size === 0,
    systemId: lacksId ? systemId : undefined,
  };
}

function whyNotFormat({ name, notes }: VolumeGroup): SltvError | undefined {
  const version = notes.v?.find((value) => value !== FORMAT);
  if (version === undefined) return undefined;
  return lvmErrors('format-newer', `volume group ${name} has format ${version}, this sltv writes format ${FORMAT}`, {
    hint: 'upgrade sltv on this host',
  });
}

function whyNotDomain({ name, notes, systemId }: VolumeGroup, { domain, node }: Claim): SltvError | undefined {
  const other = notes.lock?.find((value) => value !== domain);
  if (other !== undefined) {
    return lvmErrors('other-domain', `volume group ${name} is locked by ${other}, this daemon's locks are ${domain}`, {
      hint: remedyFor(other, name, { domain, node }),
    });
  }
  const isAnother = systemId.startsWith(SYSTEM_ID_PREFIX) && systemId !== systemIdOf(domain);
  if (!isAnother) return undefined;
  return lvmErrors(
    'other-domain',
    `volume group ${name} has the system ID ${systemId}: it belongs to the locks of a cluster, and this daemon's are ${domain}`,
    { hint: `change it on a host of that cluster: sltv pool list` },
  );
}

function remedyFor(other: string, name: string, { domain, node }: Omit<Claim, 'named'>): string {
  if (isShared(domain) && other === `${LOCAL}${node.machineId}`) return `sltv pool share ${name}`;
  if (isShared(other))
    return 'change it on a host of that cluster, or give this one its locks: etcdLock({ endpoints: […] })';
  if (other.startsWith(LOCAL)) {
    return `it is for the host whose machine id that is; to share it, there: sltv pool share ${name}; only when that host is gone for good: sltv pool take ${name}`;
  }
  return `change it where its locks are; when nobody uses those any more: vgchange --deltag sltv:lock=${other} ${name}`;
}

function whyNotNamed({ name, notes }: VolumeGroup, { named }: Claim): SltvError | undefined {
  if (notes.lock !== undefined || named) return undefined;
  return lvmErrors('read-only', `volume group ${name} is marked as a pool, but for no lock domain`, {
    hint: `when no other host uses it: sltv pool take ${name}`,
  });
}

function whyFenced({ name, notes }: VolumeGroup, { node }: Claim): SltvError | undefined {
  if (!notes.fenced?.includes(`${node.id}/${node.bootId}`)) return undefined;
  return lvmErrors(
    'fenced',
    `this node, ${node.id}, was fenced: it writes no more to volume group ${name} in this boot`,
    {
      hint: 'reboot this host: other nodes may have taken over what it had',
    },
  );
}

function whyNotWhole(group: VolumeGroup): SltvError | undefined {
  const { name } = group;
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

/** The format on storage that we write. */
const FORMAT = '1';
const LOCAL = 'local/';
const SYSTEM_ID_PREFIX = 'sltv-';
