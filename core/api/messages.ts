// The model as messages, and requests as the model. Unset means 0 or empty on the wire, undefined inside.
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type * as model from '../capabilities/disks.ts';
import type { Vm, VmDisk } from '../capabilities/hypervisor.ts';
import type { NodeView } from '../capabilities/nodes.ts';
import type { Pool, PoolFacts } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { PluginDescription } from '../kernel/boot.ts';
import type { Fields, Verb } from '../kernel/verb.ts';
import type { InHand } from './calls.ts';
import type { Kept } from './event-log.ts';
import type { EventSchema } from './gen/sltv/v1/event_pb.ts';
import type { NodeSchema } from './gen/sltv/v1/node_pb.ts';
import type { OperationSchema } from './gen/sltv/v1/operation_pb.ts';
import type { FieldSchema, PluginSchema, VerbSchema } from './gen/sltv/v1/plugin_pb.ts';
import type { PoolSchema } from './gen/sltv/v1/pool_pb.ts';
import {
  type AdoptDisksRequest,
  type AdoptionSchema,
  type AttachmentSchema,
  type CreateDiskRequest,
  type DiskFactSchema,
  type DiskSchema,
  type ExtendDiskRequest,
  ProvisionMode,
} from './gen/sltv/v1/sltv_pb.ts';
import type { VmSchema } from './gen/sltv/v1/vm_pb.ts';

/** `facts` are what plugins know of it. */
export function toDisk(
  disk: model.Disk,
  facts: MessageInitShape<typeof DiskFactSchema>[] = [],
): MessageInitShape<typeof DiskSchema> {
  return {
    name: disk.name,
    vg: disk.pool,
    mode: disk.mode === 'thin' ? ProvisionMode.THIN : ProvisionMode.THICK,
    sizeBytes: disk.size,
    virtualSizeBytes: disk.virtualSize,
    devicePath: disk.path,
    createdOnNode: disk.createdOn ?? '',
    createdAt: toTimestamp(disk.createdAt),
    lastExtendedAt: toTimestamp(disk.lastExtendedAt),
    id: disk.id,
    state: disk.state,
    vmName: disk.owner?.vmName ?? '',
    vmUuid: disk.owner?.vm ?? '',
    targetDev: disk.owner?.target ?? '',
    endBytes: disk.end ?? 0n,
    facts,
  };
}

export function toAttachment(attachment: model.Attachment): MessageInitShape<typeof AttachmentSchema> {
  return {
    diskName: attachment.disk,
    vmName: attachment.vmName,
    host: attachment.node,
    targetDev: attachment.target,
    attachedAt: toTimestamp(attachment.attachedAt),
    vmUuid: attachment.vm,
    vg: attachment.pool,
    readOnly: attachment.readOnly,
  };
}

const toTimestamp = (date: Date | undefined) => (date === undefined ? undefined : timestampFromDate(date));

/** `facts` is an error where the pool could not be read: it is still listed, with the reason. */
export function toPool(
  pool: Pool,
  facts: PoolFacts | Error,
  disks: readonly model.Disk[],
): MessageInitShape<typeof PoolSchema> {
  const ours = disks.filter((disk) => disk.pool === pool.name && disk.state !== 'foreign');
  const known = {
    name: pool.name,
    kind: pool.kind,
    id: pool.id,
    diskCount: ours.length,
    virtualBytes: ours.reduce((sum, disk) => sum + disk.virtualSize, 0n),
  };
  if (facts instanceof Error) return { ...known, readOnlyBecause: facts.message };
  return {
    ...known,
    sizeBytes: facts.size,
    freeBytes: facts.free,
    extentBytes: facts.extent,
    devices: [...facts.devices],
    metadataSizeBytes: facts.metadata?.size ?? 0n,
    metadataFreeBytes: facts.metadata?.free ?? 0n,
    readOnlyBecause: facts.readOnlyBecause ?? '',
    shared: facts.isShared ?? false,
  };
}

export function toNode(view: NodeView): MessageInitShape<typeof NodeSchema> {
  return {
    name: view.name,
    boot: view.boot,
    version: view.version,
    format: view.format,
    addresses: [...view.addresses],
    self: view.isSelf,
    up: view.isUp,
    fenced: view.isFenced,
    lastSeen: toTimestamp(view.lastSeen),
    pools: view.pools.map(({ name, id, trouble }) => ({ name, id, trouble: trouble ?? '' })),
    remarks: [...view.remarks],
  };
}

/** `disks` is an error where the VM's disks could not be read; `names` are our disks' by path. */
export function toVm(
  vm: Vm,
  disks: readonly VmDisk[] | Error,
  names: ReadonlyMap<string, string>,
): MessageInitShape<typeof VmSchema> {
  const known = { name: vm.name, uuid: vm.uuid, state: vm.state };
  if (disks instanceof Error) return { ...known, problem: disks.message };
  return {
    ...known,
    disks: disks.map((disk) => ({
      targetDev: disk.target,
      path: disk.path ?? '',
      diskName: names.get(disk.path ?? '') ?? '',
      readOnly: disk.readOnly,
    })),
  };
}

export function toEvent({
  cursor,
  time,
  type,
  subject,
  message,
  values = {},
}: Kept): MessageInitShape<typeof EventSchema> {
  const words = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  return { cursor, time: timestampFromDate(time), type, subject, message, values: words };
}

export const toOperation = ({
  call,
  operation,
  subject,
  begunAt,
  course,
}: InHand): MessageInitShape<typeof OperationSchema> => {
  const { stage = '', done = 0n, total = 0n } = course.latest() ?? {};
  return {
    requestId: call.requestId,
    operation,
    subject,
    caller: call.caller.name,
    begunAt: timestampFromDate(begunAt),
    stage,
    doneBytes: done,
    totalBytes: total,
  };
};

export function toPlugin(plugin: PluginDescription): MessageInitShape<typeof PluginSchema> {
  return {
    name: plugin.name,
    version: plugin.version ?? '',
    provides: [...plugin.provides],
    requires: [...plugin.requires],
    verbs: Object.entries(plugin.verbs).map(([words, verb]) => toVerb(words, verb)),
    errors: plugin.errors,
  };
}

const toVerb = (words: string, verb: Verb): MessageInitShape<typeof VerbSchema> => ({
  words,
  about: verb.about,
  example: verb.example,
  role: verb.role,
  gives: verb.gives,
  args: toFields(verb.args),
  options: toFields(verb.options),
  result: toFields(verb.result),
});

const toFields = (fields: Fields): MessageInitShape<typeof FieldSchema>[] =>
  Object.entries(fields).map(([name, field]) => ({
    name,
    type: field.type,
    about: field.about,
    optional: field.optional ?? false,
    list: field.list ?? false,
    choices: [...(field.choices ?? [])],
  }));

/** Errors: `core/input`, `core/bad-size`. */
export function fromCreateDisk(request: CreateDiskRequest): model.CreateRequest {
  return {
    name: named(request.name, 'name'),
    pool: optional(request.vg),
    mode: fromMode(request.mode),
    size: fromBytes(request.sizeBytes),
    virtualSize: fromBytes(request.virtualSizeBytes),
  };
}

/** Errors: `core/input`. */
export function fromAdoptDisks({ name, vg, format }: AdoptDisksRequest): model.AdoptRequest {
  if (format !== '' && format !== 'raw' && format !== 'qcow2') {
    throw coreErrors('input', `'${format}' is no format of a disk: raw or qcow2`, {
      hint: 'leave it out, and each is what its VM has it as',
    });
  }
  return { name: optional(name), pool: optional(vg), format: format === '' ? undefined : format };
}

export function toAdoption(adoption: model.Adoption): MessageInitShape<typeof AdoptionSchema> {
  if (adoption.refusal === undefined) {
    const { disk, because } = adoption;
    return { vg: disk.pool, name: disk.name, disk: toDisk(disk), because };
  }
  const { pool, name, refusal } = adoption;
  return { vg: pool, name, because: refusal.message, code: refusal.code, hint: refusal.hint ?? '' };
}

/** Errors: `core/bad-size`. */
export function fromExtendDisk(request: ExtendDiskRequest): {
  name: string;
  size?: bigint | undefined;
  delta?: bigint | undefined;
} {
  const size = fromBytes(request.sizeBytes);
  const delta = fromBytes(request.deltaBytes);
  if ((size === undefined) === (delta === undefined)) {
    throw coreErrors('bad-size', 'an extension is either to a size or by a delta', {
      hint: 'set exactly one of size_bytes and delta_bytes, above 0 (--size 20G, or --delta +10G)',
    });
  }
  return { name: named(request.name, 'name'), size, delta };
}

function fromMode(mode: ProvisionMode): model.Mode {
  if (mode === ProvisionMode.THIN) return 'thin';
  if (mode === ProvisionMode.THICK || mode === ProvisionMode.UNSPECIFIED) return 'thick';
  throw coreErrors('input', `${mode} is no provision mode`, {
    hint: 'PROVISION_MODE_THICK or PROVISION_MODE_THIN',
  });
}

/** 0 is unset. Errors: `core/bad-size` above what a volume can have. */
export function fromBytes(bytes: bigint): bigint | undefined {
  if (bytes < 2n ** 63n) return bytes === 0n ? undefined : bytes;
  throw coreErrors('bad-size', `${bytes} bytes are more than any volume can have`, { hint: 'sizes are bytes' });
}

/** A text that has to be there. Errors: `core/input`. */
export function named(text: string, field: string): string {
  if (text !== '') return text;
  throw coreErrors('input', `this request needs a ${field}, and it is empty`, { hint: `set the field ${field}` });
}

export const optional = (text: string): string | undefined => (text === '' ? undefined : text);
