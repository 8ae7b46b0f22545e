// A disk as people read it.
import type { Disk } from '../client/index.ts';
import type { Values } from '../kernel/verb.ts';
import type { Fact, Reply } from './command.ts';
import { fieldFrom, valueFrom } from './declared.ts';
import { timeFrom } from './values.ts';

/** What a list shows of a disk. */
export const summary = {
  name: { type: 'text', about: 'its name' },
  pool: { type: 'text', about: 'where it lives' },
  mode: { type: 'text', about: 'thick or thin' },
  size: { type: 'size', about: 'physical size' },
  virtualSize: { type: 'size', about: 'what the guest sees' },
  state: { type: 'text', about: 'ready, owned, or what is being done to it' },
  vm: { type: 'text', about: 'the VM that has it', optional: true },
  target: { type: 'text', about: 'where in that VM', optional: true },
} as const;

/** What a list shows of a disk that was adopted. */
export const adopted = {
  ...summary,
  because: { type: 'text', about: 'why it is raw or qcow2' },
} as const;

/** All of it. */
export const facts = {
  ...summary,
  path: { type: 'text', about: 'where QEMU opens it' },
  id: { type: 'text', about: 'its uuid, whatever its name' },
  created: { type: 'time', about: 'when it was created', optional: true },
  createdOn: { type: 'text', about: 'the node that created it', optional: true },
  lastExtended: { type: 'time', about: 'when it last grew', optional: true },
  written: { type: 'size', about: 'how far a thin disk is known to be written', optional: true },
} as const;

/** A disk, as the daemon's message and as its facts. */
export const diskReply = (message: Disk): Reply<Values<typeof facts>> => ({
  message,
  rows: [factsOf(message)],
  more: (message.facts ?? []).map(factFrom),
  remarks: message.state === 'conflict' ? [conflict(message)] : [],
});

/** What a plugin knows of it. */
function factFrom({ name, values, ...declared }: Disk['facts'][number]): Fact {
  const field = fieldFrom(declared);
  const [value, ...others] = values.map((each) => valueFrom(field, each));
  return { name, field, value: declared.list ? [value, ...others].filter((each) => each !== undefined) : value };
}

function conflict({ vg, name, vmName, vmUuid }: Disk): string {
  const vm = vmName || vmUuid;
  return `${vm} does not have it on this host, though the storage says so: if it has it nowhere else either, sltv disk detach ${vg}/${name} ${vm} frees it`;
}

/** What a list shows, and no more: of a thousand disks, a first look at each counts. */
export const summaryOf = (disk: Disk): Values<typeof summary> => ({
  name: disk.name,
  pool: disk.vg,
  mode: disk.mode === 'PROVISION_MODE_THIN' ? 'thin' : 'thick',
  size: BigInt(disk.sizeBytes),
  virtualSize: BigInt(disk.virtualSizeBytes),
  state: disk.state,
  vm: disk.vmName || disk.vmUuid,
  target: disk.targetDev,
});

/** The facts that a message holds. */
const factsOf = (disk: Disk): Values<typeof facts> => ({
  ...summaryOf(disk),
  path: disk.devicePath,
  id: disk.id,
  created: timeFrom(disk.createdAt),
  createdOn: disk.createdOnNode,
  lastExtended: timeFrom(disk.lastExtendedAt),
  written: writtenOf(disk),
});

/** What the storage remembers, unless a plugin knows better; a daemon older than this client has neither field. */
function writtenOf({ endBytes = '0', facts = [] }: Disk): bigint | undefined {
  return facts.some(({ name }) => name === 'written') ? undefined : BigInt(endBytes) || undefined;
}
