// The VMs of this host, and which of our disks they have.
import type { ServiceImpl } from '@connectrpc/connect';
import { type Disk, Disks } from '../../capabilities/disks.ts';
import { Hypervisor, type VmDisk } from '../../capabilities/hypervisor.ts';
import type { Call } from '../../kernel/verb.ts';
import { callOf } from '../calls.ts';
import type { VmService } from '../gen/sltv/v1/vm_pb.ts';
import { toVm } from '../messages.ts';
import { type Daemon, mustHave } from './daemon.ts';

export function vmHandlers(daemon: Daemon): ServiceImpl<typeof VmService> {
  return {
    listVms: async (_request, context) => {
      const call = callOf(context);
      const hypervisor = mustHave(daemon, Hypervisor, 'runs VMs');
      const [vms, names] = await Promise.all([hypervisor.vms(call.signal), namesByPath(daemon, call)]);
      const listed = vms.map(async (vm) => toVm(vm, await disksIn(hypervisor, vm.uuid, call.signal), names));
      return { vms: await Promise.all(listed) };
    },
  };
}

async function namesByPath(daemon: Daemon, call: Call): Promise<ReadonlyMap<string, string>> {
  const disks = (await daemon.booted.provided(Disks)?.list({}, call)) ?? [];
  const pathsOf = ({ path, alsoAt = [] }: Disk) => [path, ...alsoAt];
  return new Map(disks.flatMap((disk) => pathsOf(disk).map((path) => [path, `${disk.pool}/${disk.name}`] as const)));
}

/** A VM that hangs must not hide the others: its error stands where its disks would. */
async function disksIn(hypervisor: Hypervisor, vm: string, signal: AbortSignal): Promise<readonly VmDisk[] | Error> {
  try {
    return await hypervisor.disks(vm, signal);
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  }
}
