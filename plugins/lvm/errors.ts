// What can go wrong with LVM, and the one place where lvm's own words are given a meaning.
import { errors, type Finished, formatSize, type SltvError } from 'sltv';

export const lvmErrors = errors('lvm', {
  'no-space': 'exhausted',
  'metadata-full': 'exhausted',
  'size-reached': 'busy',
  exists: 'exists',
  'vg-exists': 'exists',
  'vg-missing': 'not-found',
  'not-a-pool': 'not-found',
  'volume-missing': 'not-found',
  'device-missing': 'not-found',
  'device-in-use': 'refused',
  'device-lost': 'unavailable',
  'in-use': 'busy',
  'bad-name': 'invalid',
  'bad-note': 'invalid',
  'bad-command': 'invalid',
  'no-permission': 'denied',
  'other-domain': 'refused',
  'not-shareable': 'refused',
  'foreign-active': 'refused',
  'not-adoptable': 'refused',
  fenced: 'refused',
  'lost-update': 'refused',
  'foreign-write': 'refused',
  unreadable: 'unavailable',
  'format-newer': 'unsupported',
  'read-only': 'refused',
  'lock-lost': 'unavailable',
  'too-old': 'unsupported',
  failed: 'internal',
});

/** What a command was about, for the sentence that says why it could not be. */
export interface Subject {
  readonly vg: string;
  readonly volume?: string;
  /** The VG's system ID. */
  readonly systemId?: string;
  /** Bytes that were asked for, and bytes that the VG had before. */
  readonly needed?: bigint;
  readonly free?: bigint;
}

/** Gives the words of an lvm command that failed their meaning; they stay as the cause. */
export function explain(command: string, said: Finished, subject: Subject): SltvError {
  const words = said.stderr.trim();
  const known = MEANINGS.find(({ when }) => when.test(words));
  if (known)
    return lvmErrors(known.code, known.say(subject, words), { hint: known.hint?.(subject, words), cause: words });
  const last = words.split('\n').at(-1)?.trim() || `it ended with status ${said.code}`;
  return lvmErrors('failed', `lvm ${command} on volume group ${subject.vg} failed: ${last}`, { cause: words });
}

interface Meaning {
  readonly when: RegExp;
  readonly code: keyof typeof lvmErrors.codes;
  /** `words` are lvm's. */
  readonly say: (subject: Subject, words: string) => string;
  readonly hint?: (subject: Subject, words: string) => string;
}

const volumeOf = ({ vg, volume }: Subject) => `volume ${vg}/${volume ?? '?'}`;
/** The device that lvm complains of. */
const deviceIn = (words: string) => /\/dev\/[^\s:']+/.exec(words)?.[0] ?? 'one of the devices';

/** In this order: the first that matches is what happened, later lines are its consequences. */
const MEANINGS: readonly Meaning[] = [
  {
    when: /: unrecognized option '/,
    code: 'too-old',
    say: () => 'the lvm2 of this host is too old',
    hint: () => 'install lvm2 2.03.12 or newer',
  },
  {
    when: /Permission denied/,
    code: 'no-permission',
    say: () => 'this process has no permission to work with LVM',
    hint: () => 'run the daemon as root',
  },
  {
    when: /insufficient (suitable )?(allocatable|free) (extents|space)/i,
    code: 'no-space',
    say: ({ vg, free, needed }) =>
      free === undefined || needed === undefined
        ? `volume group ${vg} has not enough free space`
        : `volume group ${vg} has ${formatSize(free)} free, ${formatSize(needed)} are needed`,
    hint: ({ vg }) => `sltv pool extend ${vg} /dev/…`,
  },
  {
    when: /exceeds maximum metadata size|too large for circular buffer/,
    code: 'metadata-full',
    say: metadataFull,
    hint: metadataFullHint,
  },
  {
    when: /not larger than existing size|matches existing size/,
    code: 'size-reached',
    say: (subject) => `another process of this host has grown ${volumeOf(subject)} already`,
  },
  {
    when: /Logical Volume ".*" already exists/i,
    code: 'exists',
    say: (subject) => `${volumeOf(subject)} exists already`,
  },
  {
    when: /A volume group called .* already exists|already exists in filesystem/,
    code: 'vg-exists',
    say: ({ vg }) => `volume group ${vg}, or something else in /dev by that name, exists already`,
    hint: () => 'sltv pool list; an existing volume group becomes a pool by naming it in the vgs of the lvm plugin',
  },
  {
    when: /Cannot change VG .* while PVs are missing|Couldn't find device with uuid/,
    code: 'device-lost',
    say: ({ vg }) => `volume group ${vg} has lost a physical volume: it can't be changed`,
    hint: ({ vg }) => `bring the device back; vgs -o +pv_missing ${vg} says which`,
  },
  {
    when: /(Failed to find logical volume|Logical volume \S+ not found in volume group)/,
    code: 'volume-missing',
    say: (subject) => `there is no ${volumeOf(subject)}`,
  },
  {
    when: /Volume group "?\S+"? (not found|has been removed)/,
    code: 'vg-missing',
    say: ({ vg }) => `there is no volume group ${vg} on this host`,
    hint: () => 'vgs lists those that are there',
  },
  {
    when: /contains a filesystem in use|is used by another device|Logical volume \S+ in use|Device or resource busy/,
    code: 'in-use',
    say: (subject) => `${volumeOf(subject)} is open on this host`,
    hint: ({ vg, volume }) => `fuser -v /dev/${vg}/${volume ?? ''}`,
  },
  {
    when: /No device found for|Device not found for|device not found/,
    code: 'device-missing',
    say: () => 'one of the devices is not a block device of this host that LVM may use',
    hint: () => 'lsblk lists them; give the path of /dev/mapper for one that multipath manages',
  },
  {
    when: /is already in volume group '(.*)'/,
    code: 'device-in-use',
    say: (_, words) =>
      `${deviceIn(words)} belongs to volume group ${/is already in volume group '(.*)'/.exec(words)?.[1]}`,
    hint: () => 'pvs shows which device is whose; lsblk shows those that are free',
  },
  {
    when: /exclusively|is in use|multipath component/,
    code: 'device-in-use',
    say: (_, words) => `${deviceIn(words)} is in use, by a mount or by something else on this host`,
    hint: (_, words) => `lsblk ${deviceIn(words)} shows by what; give another device, or free this one`,
  },
  {
    when: /signature|is partitioned/,
    code: 'device-in-use',
    say: (_, words) =>
      `${deviceIn(words)} holds data: ${/(\S+) signature detected/.exec(words)?.[1] ?? 'a partition table'}`,
    hint: (_, words) => `lsblk -f ${deviceIn(words)}; when nobody needs it any more: wipefs --all ${deviceIn(words)}`,
  },
  {
    when: /is exported|read-only|with system ID|with lock type/,
    code: 'read-only',
    say: ({ vg }) => `volume group ${vg} may not be changed on this host`,
    hint: ({ vg }) => `vgs --foreign -o +vg_permissions,vg_exported,vg_systemid ${vg}`,
  },
];

/** Said before LVM would, too: what is left is kept for running guests. */
export function metadataFull({ vg }: Subject): string {
  return `the metadata area of volume group ${vg} is full`;
}

export function metadataFullHint(): string {
  return 'delete disks that nobody needs, or put new ones in another pool: sltv pool create gives it a larger area';
}
