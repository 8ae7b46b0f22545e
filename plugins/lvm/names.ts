// What LVM and device-mapper let a volume be called, and where it is found.

/** Where QEMU opens the volume once it is active. */
export const pathOf = (vg: string, name: string): string => `/dev/${vg}/${name}`;

/** Where else it is found then, under names that say which volume it is. */
export const otherPathsOf = (vg: string, name: string): readonly string[] => [
  nodeOf(vg, name),
  `/dev/disk/by-id/dm-name-${deviceMapperName(vg, name)}`,
];

/** Its device node: there while the volume is active on this host. Device-mapper doubles hyphens to part the names. */
export const nodeOf = (vg: string, name: string): string => `/dev/mapper/${deviceMapperName(vg, name)}`;

/** Says why LVM can't have a volume by this name in this VG; undefined when it can. */
export function objectionTo(vg: string, name: string): string | undefined {
  if (!CHARACTERS.test(name) || name === '.' || name === '..') {
    return `'${name}' can't be an LVM volume: letters, digits and _ . + - only, not beginning with a hyphen`;
  }
  const prefix = RESERVED_PREFIXES.find((word) => name.startsWith(word));
  if (prefix) return `LVM keeps names that begin with '${prefix}' for itself`;
  const part = RESERVED_PARTS.find((word) => name.includes(word));
  if (part) return `LVM keeps names with '${part}' in them for itself`;
  const length = deviceMapperName(vg, name).length + ROOM_FOR_SUFFIX;
  if (length > DEVICE_MAPPER_LIMIT) {
    return `'${name}' is too long in ${vg} by ${length - DEVICE_MAPPER_LIMIT} characters (a hyphen counts twice): its device could never be activated`;
  }
  return undefined;
}

/** What a VG may be called. */
export const VG_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,126}$/;

const CHARACTERS = /^[A-Za-z0-9_+.][A-Za-z0-9_+.-]*$/;

// lvm2's lib/misc/lvm-string.c, those that older releases reserved included.
const RESERVED_PREFIXES = ['snapshot', 'pvmove'];
const RESERVED_PARTS = [
  '_cdata',
  '_cmeta',
  '_corig',
  '_cpool',
  '_cvol',
  '_imeta',
  '_iorig',
  '_mimage',
  '_mlog',
  '_pmspare',
  '_rimage',
  '_rmeta',
  '_tdata',
  '_tmeta',
  '_vdata',
  '_vorigin',
  '_wcorig',
];

const DEVICE_MAPPER_LIMIT = 127;
/** For a further layer's number and the longest suffix that LVM gives a device of its own: `.999` and `-real`. */
const ROOM_FOR_SUFFIX = '.999-real'.length;

function deviceMapperName(vg: string, name: string): string {
  return `${vg.replaceAll('-', '--')}-${name.replaceAll('-', '--')}`;
}
