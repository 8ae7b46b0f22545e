// sltv pool …
import type { Pool } from '../client/index.ts';
import { type Values, verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';
import { mustConfirm, yes } from './confirm.ts';

const name = { type: 'text', about: 'the pool' } as const;
const devices = { type: 'text', about: 'block devices; they lose what they hold', list: true } as const;

const summary = {
  name: { type: 'text', about: 'its name' },
  kind: { type: 'text', about: 'lvm, dir, …' },
  size: { type: 'size', about: 'all of it' },
  free: { type: 'size', about: 'what is left' },
  disks: { type: 'count', about: 'how many disks live in it' },
  virtual: { type: 'size', about: "what the disks' guests see, all together" },
} as const;

const shared = { type: 'flag', about: 'other hosts may have it, too', optional: true } as const;

const facts = {
  ...summary,
  shared,
  extent: { type: 'size', about: 'every size is rounded up to it' },
  devices: { type: 'text', about: 'what it stands on', list: true },
  metadataSize: { type: 'size', about: 'room for the catalogue itself', optional: true },
  metadataFree: { type: 'size', about: 'what is left of that', optional: true },
  readOnlyBecause: { type: 'text', about: 'why nothing may be written', optional: true },
} as const;

const list = command(
  verb({
    about: 'list pools',
    example: 'sltv pool list',
    role: 'viewer',
    args: {},
    options: {},
    gives: 'list',
    result: { ...summary, shared, writable: { type: 'flag', about: 'sltv pool show says why not' } },
  }),
  async (_, at) => {
    const pools = await (await at.client()).pools.list(at);
    return {
      message: { pools },
      rows: pools.map((pool) => ({ ...factsOf(pool), writable: pool.readOnlyBecause === '' })),
    };
  },
);

const show = command(
  verb({
    about: 'show a pool with its devices and metadata space',
    example: 'sltv pool show vg-sltv',
    role: 'viewer',
    args: { name },
    options: {},
    gives: 'item',
    result: facts,
  }),
  async (input, at) => reply(await (await at.client()).pools.get({ name: input.name }, at)),
);

const create = command(
  verb({
    about: 'make a pool of block devices',
    example: 'sltv pool create vg-fast /dev/nvme1n1',
    role: 'admin',
    args: { name: { type: 'text', about: 'its name' }, devices },
    options: { kind: { type: 'text', about: 'which storage makes it (default: lvm)', optional: true } },
    gives: 'item',
    result: facts,
  }),
  async (input, at) => {
    const request = { name: input.name, devices: [...input.devices], kind: input.kind ?? '' };
    return reply(await (await at.client()).pools.create(request, at));
  },
);

const extend = command(
  verb({
    about: 'add block devices to a pool',
    example: 'sltv pool extend vg-fast /dev/nvme2n1',
    role: 'admin',
    args: { name, devices },
    options: {},
    gives: 'item',
    result: facts,
  }),
  async (input, at) =>
    reply(await (await at.client()).pools.extend({ name: input.name, devices: [...input.devices] }, at)),
);

const share = command(
  verb({
    about: 'let every host of the cluster use a pool',
    example: 'sltv pool share vg-sltv',
    role: 'admin',
    args: { name },
    options: {},
    gives: 'item',
    result: facts,
  }),
  async (input, at) => reply(await (await at.client()).pools.share({ name: input.name }, at)),
);

const take = command(
  verb({
    about: 'take a pool over, with all its disks, from a host that is gone for good',
    example: 'sltv pool take vg-sltv --yes',
    role: 'admin',
    args: { name },
    options: { yes },
    gives: 'item',
    result: facts,
  }),
  async (input, at) => {
    await mustConfirm(
      at,
      input.yes,
      `taking ${input.name} says that the host it was on is gone for good, or will never see these devices again: two hosts that write one pool under locks of their own destroy it`,
      `sltv pool take ${input.name} --yes`,
    );
    return reply(await (await at.client()).pools.take({ name: input.name }, at));
  },
);

const accept = command(
  verb({
    about: 'take a pool as it stands, after somebody wrote to it without the lock',
    example: 'sltv pool accept vg-sltv --yes',
    role: 'admin',
    args: { name },
    options: { yes },
    gives: 'item',
    result: facts,
  }),
  async (input, at) => {
    await mustConfirm(
      at,
      input.yes,
      `accepting ${input.name} says that you have looked (lvs, vgck) and that all that should be there is: what was lost stays lost`,
      `sltv pool accept ${input.name} --yes`,
    );
    return reply(await (await at.client()).pools.accept({ name: input.name }, at));
  },
);

const shell = command(
  verb({
    about: "run a command of a pool's own tools, alone and under its lock",
    example: 'sltv pool shell vg-sltv -- lvm vgck',
    role: 'admin',
    args: { name, words: { type: 'text', about: 'the command, after --', list: true } },
    options: {},
    gives: 'nothing',
    result: {},
  }),
  async (input, at) => {
    const message = await (await at.client()).pools.shell({ name: input.name, words: [...input.words] }, at);
    const { code, stdout, stderr } = message;
    const said = stdout.trimEnd();
    const remarks = stderr.split('\n').filter((line) => line.trim() !== '');
    return { message, ...(said === '' ? {} : { said }), remarks, exit: code };
  },
);

export const pool: Commands = {
  'pool list': list,
  'pool show': show,
  'pool create': create,
  'pool extend': extend,
  'pool share': share,
  'pool take': take,
  'pool accept': accept,
  'pool shell': shell,
};

const reply = (pool: Pool) => ({ message: { pool }, rows: [factsOf(pool)] });

const factsOf = (pool: Pool): Values<typeof facts> => ({
  name: pool.name,
  kind: pool.kind,
  size: BigInt(pool.sizeBytes),
  free: BigInt(pool.freeBytes),
  disks: pool.diskCount,
  virtual: BigInt(pool.virtualBytes),
  // A daemon of before there were clusters says nothing.
  shared: pool.shared,
  extent: BigInt(pool.extentBytes),
  devices: pool.devices,
  // 0 says that it can't run out.
  metadataSize: pool.metadataSizeBytes === '0' ? undefined : BigInt(pool.metadataSizeBytes),
  metadataFree: pool.metadataSizeBytes === '0' ? undefined : BigInt(pool.metadataFreeBytes),
  readOnlyBecause: pool.readOnlyBecause,
});
