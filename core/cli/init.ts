// sltv init
import { coreErrors } from '../errors.ts';
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';

const prepare = command(
  verb({
    about: 'prepare this host; run it once, and again after moving the executable',
    example: 'sltv init --hooks',
    role: 'admin',
    args: {},
    options: {
      hooks: { type: 'flag', about: 'install the script by which the hypervisor has disks ready before a VM starts' },
    },
    gives: 'list',
    result: {
      hook: { type: 'text', about: 'which hypervisor calls it' },
      file: { type: 'text', about: 'the script' },
      now: { type: 'text', about: 'written, or already there' },
    },
  }),
  async (input, at) => {
    if (!input.hooks) throw coreErrors('input', 'what is to be prepared?', { hint: 'sltv init --hooks' });
    const hooks = await (await at.world.local()).installHooks(at);
    if (hooks.length === 0) {
      throw coreErrors('no-provider', 'no plugin in the config has a hook to install', {
        hint: 'add libvirt() to plugins in the config file',
      });
    }
    return {
      message: { hooks },
      rows: hooks.map(({ name, path, isNew }) => ({
        hook: name,
        file: path,
        now: isNew ? 'written' : 'already there',
      })),
      remarks: hooks.flatMap(({ remark }) => remark ?? []),
    };
  },
);

export const init: Commands = { init: prepare };
