// sltv cluster …
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';
import { mustConfirm, yes } from './confirm.ts';

const recover = command(
  verb({
    about: "go on after the cluster's store lost what it knew",
    example: 'sltv cluster recover --yes',
    role: 'admin',
    args: {},
    options: { yes },
    gives: 'nothing',
    result: {},
  }),
  async (input, at) => {
    await mustConfirm(
      at,
      input.yes,
      'recovering takes the store as it stands for the right one: every node has to say that it runs no command, and be asked by this node',
      'sltv cluster recover --yes',
    );
    const nodes = await (await at.client()).cluster.recover(at);
    return { message: { nodes }, said: `the cluster goes on; asked: ${nodes.join(', ')}` };
  },
);

export const cluster: Commands = { 'cluster recover': recover };
