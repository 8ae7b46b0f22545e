// sltv vm …
import type { Vm } from '../client/index.ts';
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';

const list = command(
  verb({
    about: 'list the VMs of this host and the disks in them',
    example: 'sltv vm list',
    role: 'viewer',
    args: {},
    options: {},
    gives: 'list',
    result: {
      name: { type: 'text', about: 'its name' },
      state: { type: 'text', about: 'running, paused or off' },
      uuid: { type: 'text', about: 'its uuid' },
      disks: { type: 'text', about: 'each target and what is there', list: true },
    },
  }),
  async (_, at) => {
    const vms = await (await at.client()).vms.list(at);
    const rows = vms.map(({ name, state, uuid, disks, problem }) => ({
      name,
      state,
      uuid,
      disks: problem === '' ? disks.map(placeOf) : [`unknown: ${problem}`],
    }));
    return { message: { vms }, rows };
  },
);

export const vm: Commands = { 'vm list': list };

/** `vdb=vg-sltv/web1`. */
const placeOf = ({ targetDev, diskName, path, readOnly }: Vm['disks'][number]) =>
  `${targetDev}=${diskName || path || 'empty'}${readOnly ? ' (read-only)' : ''}`;
