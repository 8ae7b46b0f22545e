// The fixed service: disks, attachments, and what this node is.
import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { type Disk, DiskFacts, Disks } from '../../capabilities/disks.ts';
import { Nodes } from '../../capabilities/nodes.ts';
import { asSltvError } from '../../errors.ts';
import type { Call } from '../../kernel/verb.ts';
import { callOf, isRepeatable } from '../calls.ts';
import { factsAbout } from '../disk-facts.ts';
import { type Disk as DiskMessage, DiskSchema, type Sltv } from '../gen/sltv/v1/sltv_pb.ts';
import {
  fromAdoptDisks,
  fromBytes,
  fromCreateDisk,
  fromExtendDisk,
  named,
  optional,
  toAdoption,
  toAttachment,
  toDisk,
} from '../messages.ts';
import type { Daemon } from './daemon.ts';
import { mustHave } from './daemon.ts';
import { nodesOf } from './nodes.ts';
import { factsOf, poolsOf } from './pools.ts';

export function sltvHandlers(daemon: Daemon): ServiceImpl<typeof Sltv> {
  const disks = () => mustHave(daemon, Disks, 'keeps disks');
  const health = () => daemon.booted.provided(Nodes)?.health();
  const nodeStatus = async (signal: AbortSignal) => ({
    nodeId: daemon.node.id,
    version: daemon.version,
    clusterEnabled: health()?.hasCluster ?? false,
    vgs: await Promise.all((await poolsOf(daemon, signal)).map((pool) => volumeGroup(pool, signal))),
    up: true,
    remarks: [...(health()?.alarms ?? []), ...daemon.remarks()],
  });
  /** Of a thousand disks most are the same from one list to the next. */
  const messages = new WeakMap<Disk, DiskMessage>();
  const messageOf = (disk: Disk): DiskMessage => {
    const message = messages.get(disk) ?? create(DiskSchema, toDisk(disk));
    messages.set(disk, message);
    return message;
  };
  return {
    createDisk: async (request, context) => toDisk(await disks().create(fromCreateDisk(request), callOf(context))),

    deleteDisk: async ({ name, force }, context) => {
      await disks().delete({ name: named(name, 'name'), force }, callOf(context));
      return {};
    },

    getDisk: async ({ name }, context) => {
      const disk = await disks().show({ name: named(name, 'name') }, callOf(context));
      return toDisk(disk, factsAbout(disk, daemon.booted.all(DiskFacts), daemon.log));
    },

    listDisks: async ({ vg }, context) => ({
      disks: (await disks().list({ pool: optional(vg) }, callOf(context))).map(messageOf),
    }),

    extendDisk: async (request, context) => {
      const wanted = fromExtendDisk(request);
      const call = callOf(context);
      // Before the work: it is said of a failure, too, which is when somebody thinks of asking again.
      if (wanted.delta !== undefined && !isRepeatable(call)) context.responseHeader.set(...UNREPEATABLE);
      return toDisk(await disks().extend(wanted, call));
    },

    resizeDisk: async ({ name, virtualSizeBytes }, context) => {
      const virtualSize = fromBytes(virtualSizeBytes) ?? 0n;
      return toDisk(await disks().resize({ name: named(name, 'name'), virtualSize }, callOf(context)));
    },

    adoptDisks: async (request, context) => ({
      adoptions: (await disks().adopt(fromAdoptDisks(request), callOf(context))).map(toAdoption),
    }),

    forgetDisk: async ({ name, attached }, context) => {
      await disks().forget({ name: named(name, 'name'), attached }, callOf(context));
      return {};
    },

    attachDisk: async (request, context) => {
      const wanted = {
        disk: named(request.diskName, 'disk_name'),
        vm: named(request.vmName, 'vm_name'),
        target: optional(request.targetDev),
        readOnly: request.readOnly,
      };
      return toAttachment(await disks().attach(wanted, callOf(context)));
    },

    detachDisk: async ({ diskName, vmName }, context) => {
      await disks().detach({ disk: named(diskName, 'disk_name'), vm: named(vmName, 'vm_name') }, callOf(context));
      return {};
    },

    listAttachments: async ({ diskName, vmName }, context) => {
      const wanted = { disk: optional(diskName), vm: optional(vmName) };
      return { attachments: (await disks().attachments(wanted, callOf(context))).map(toAttachment) };
    },

    getNodeStatus: async (_request, context) => await nodeStatus(callOf(context).signal),

    getClusterStatus: async (_request, context) => {
      const call = callOf(context);
      const [own, others, all, attachments] = await Promise.all([
        nodeStatus(call.signal),
        otherNodes(daemon, call),
        disks().list({}, call),
        disks().attachments({}, call),
      ]);
      const trouble = health()?.trouble;
      return {
        enabled: own.clusterEnabled,
        // Nobody leads: whoever has a pool's lock writes.
        leader: '',
        nodes: [{ ...own, remarks: [...own.remarks, ...others.remarks] }, ...others.nodes],
        diskCount: all.filter((disk) => disk.state !== 'foreign').length,
        attachmentCount: attachments.length,
        trouble: trouble?.because ?? '',
        troubleState: trouble?.state ?? '',
      };
    },
  };
}

/** A header of the answer. */
const UNREPEATABLE = [
  'sltv-remark',
  'a delta without the header sltv-request-id is not repeatable: asked again, it is added again',
] as const;

/** The other members as the cluster has them; out of reach it tells of none, and why. */
async function otherNodes(daemon: Daemon, call: Call) {
  try {
    // What this node knows of a pool holds for everybody who sees the same one.
    const own = (await poolsOf(daemon, call.signal)).map(
      async (pool) => [pool.id, await volumeGroup(pool, call.signal)] as const,
    );
    const known = new Map(await Promise.all(own));
    const views = daemon.booted.provided(Nodes) === undefined ? [] : await nodesOf(daemon, call);
    const nodes = views
      .filter(({ isSelf }) => !isSelf)
      .map(({ name, version, pools, isUp, isFenced, remarks }) => ({
        nodeId: name,
        version,
        clusterEnabled: true,
        vgs: pools.map((pool) => known.get(pool.id) ?? { name: pool.name }),
        up: isUp,
        fenced: isFenced,
        remarks: [...remarks],
      }));
    return { nodes, remarks: views.find(({ isSelf }) => isSelf)?.remarks ?? [] };
  } catch (error) {
    call.signal.throwIfAborted();
    return { nodes: [], remarks: [`the other nodes are not known: ${asSltvError(error).message}`] };
  }
}

async function volumeGroup(pool: Parameters<typeof factsOf>[0], signal: AbortSignal) {
  const facts = await factsOf(pool, signal);
  if (facts instanceof Error) return { name: pool.name };
  return { name: pool.name, sizeBytes: facts.size, freeBytes: facts.free };
}
