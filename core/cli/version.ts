// sltv version
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';

const print = command(
  verb({
    about: "print this program's version; sltv status shows the daemon's",
    example: 'sltv version',
    role: 'viewer',
    args: {},
    options: {},
    gives: 'item',
    result: { version: { type: 'text', about: 'major.minor.patch' } },
  }),
  async (_, { world: { version } }) => ({ message: { version }, said: `sltv ${version}` }),
);

export const version: Commands = { version: print };
