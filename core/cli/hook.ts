// sltv hook …
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';

const answer = command(
  verb({
    about: 'answer a hypervisor that calls its hook (it does so by itself)',
    example: 'sltv hook qemu -- web prepare begin - < web.xml',
    role: 'admin',
    args: {
      name: { type: 'text', about: 'which hook' },
      args: { type: 'text', about: 'what the hypervisor says', list: true, optional: true },
    },
    options: {},
    gives: 'nothing',
    result: {},
  }),
  async ({ name, args = [] }, at) => {
    const { config, signal } = at;
    await (await at.world.local()).hook({ config, signal, name, args });
    return { message: {} };
  },
);

export const hook: Commands = { hook: answer };
