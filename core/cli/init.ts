// sltv init
import { coreErrors } from '../errors.ts';
import { verb } from '../kernel/verb.ts';
import { type At, type Commands, command } from './command.ts';

const prepare = command(
  verb({
    about: 'write a config to begin with, and what an editor needs to check it; what a person wrote stays',
    example: 'sltv init /etc/sltv',
    role: 'admin',
    args: { folder: { type: 'text', about: 'where the config is to be (default /etc/sltv)', optional: true } },
    options: {
      hooks: {
        type: 'flag',
        about:
          'write instead the script by which the hypervisor has disks ready before a VM starts; again after moving sltv',
      },
    },
    gives: 'list',
    result: {
      file: { type: 'text', about: 'what is there now' },
      now: { type: 'text', about: 'written, renewed, kept, or already there' },
    },
  }),
  async ({ folder, hooks = false }, at) => {
    if (hooks && folder !== undefined) {
      throw coreErrors('input', `--hooks writes nothing into ${folder}: it goes by the config`, {
        hint: `sltv init ${folder}, and after that sltv init --hooks`,
      });
    }
    return hooks ? await installHooks(at) : await initFolder(folder, at);
  },
);

export const init: Commands = { init: prepare };

async function initFolder(folder: string | undefined, at: At) {
  if (at.config !== undefined) {
    throw coreErrors('input', 'sltv init takes a folder, and --config names a file', { hint: 'sltv init FOLDER' });
  }
  const { files, remarks } = await (await at.world.local()).initFolder(folder);
  return { message: { files }, rows: files.map(({ path, now }) => ({ file: path, now })), remarks };
}

async function installHooks(at: At) {
  const hooks = await (await at.world.local()).installHooks(at);
  if (hooks.length === 0) {
    throw coreErrors('no-provider', 'no plugin in the config has a hook to install', {
      hint: 'add libvirt() to plugins in the config file',
    });
  }
  return {
    message: { hooks },
    rows: hooks.map(({ path, isNew }) => ({ file: path, now: isNew ? 'written' : 'already there' })),
    remarks: hooks.flatMap(({ remark }) => remark ?? []),
  };
}
