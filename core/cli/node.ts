// sltv node …
import type { Node } from '../client/index.ts';
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';
import { mustConfirm, yes } from './confirm.ts';
import { timeFrom } from './values.ts';

const name = { type: 'text', about: 'the node: sltv node list' } as const;

const list = command(
  verb({
    about: 'list the nodes that share pools, and what is odd about one',
    example: 'sltv node list',
    role: 'viewer',
    args: {},
    options: {},
    gives: 'list',
    result: {
      name: { type: 'text', about: "the host's name, as notes on the storage have it" },
      state: { type: 'text', about: 'up, silent, or fenced' },
      version: { type: 'text', about: "its daemon's" },
      lastSeen: { type: 'time', about: 'when it was last heard of', optional: true },
      addresses: { type: 'text', about: 'where its API is reached from other hosts', list: true },
      pools: { type: 'text', about: 'what it sees', list: true },
      remarks: { type: 'text', about: 'what to see to', list: true },
    },
  }),
  async (_, at) => {
    const nodes = await (await at.client()).nodes.list(at);
    return { message: { nodes }, rows: nodes.map(rowOf) };
  },
);

const fence = command(
  verb({
    about: 'prove that a silent node is off, and let others have what it had',
    example: 'sltv node fence host2 --yes',
    role: 'admin',
    args: { name },
    options: {
      yes,
      byHand: { type: 'flag', about: 'you have turned it off yourself: the configured fence agent is not asked' },
    },
    gives: 'nothing',
    result: {},
  }),
  async (input, at) => {
    const byHand = input.byHand ?? false;
    const again = `sltv node fence ${input.name}${byHand ? ' --by-hand' : ''} --yes`;
    await mustConfirm(
      at,
      input.yes,
      `fencing ${input.name} lets other hosts have its disks: where a fence agent is configured, and not --by-hand, it is turned off now; else that host must be off and stay off until this is done, or two hosts write one disk`,
      again,
    );
    const node = await (await at.client()).nodes.fence({ name: input.name, confirmed: true, byHand }, at);
    return { message: { node }, said: `node ${node.name} is fenced: what it had may be had from other nodes` };
  },
);

const retire = command(
  verb({
    about: 'take out a node for good, once it has no disks and is stopped',
    example: 'sltv node retire host2',
    role: 'admin',
    args: { name },
    options: {},
    gives: 'nothing',
    result: {},
  }),
  async (input, at) => {
    await (await at.client()).nodes.retire({ name: input.name }, at);
    return { message: {}, said: `node ${input.name} is a member no more` };
  },
);

export const node: Commands = { 'node list': list, 'node fence': fence, 'node retire': retire };

const rowOf = ({ name, up, fenced, version, lastSeen, addresses, pools, remarks }: Node) => ({
  name,
  state: fenced ? 'fenced' : up ? 'up' : 'silent',
  version,
  lastSeen: timeFrom(lastSeen),
  addresses,
  pools: pools.map((pool) => pool.name),
  remarks,
});
