// sltv daemon
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';

const run = command(
  verb({
    about: 'run the daemon here, until it is told to stop',
    example: 'sltv daemon --config /etc/sltv/sltv.config.ts',
    role: 'admin',
    args: {},
    options: {},
    gives: 'nothing',
    result: {},
  }),
  async (_, at) => ({ message: {}, exit: await (await at.world.local()).daemon(at) }),
);

export const daemon: Commands = { daemon: run };
