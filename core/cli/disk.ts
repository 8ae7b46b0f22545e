// sltv disk …
import { coreErrors } from '../errors.ts';
import { verb } from '../kernel/verb.ts';
import { formatSize, KiB } from '../units.ts';
import { attachmentFacts, attachmentFactsOf } from './attachment-facts.ts';
import { type Commands, command } from './command.ts';
import { diskReply, facts, factsOf, summary } from './disk-facts.ts';
import { optionOf } from './values.ts';

const name = { type: 'text', about: 'the disk: NAME, or POOL/NAME' } as const;
const vm = { type: 'text', about: 'the VM, by name or uuid' } as const;
/** The old command line's word for a pool. */
const vg = { pool: ['vg'] };

const create = command(
  verb({
    about: 'make a disk',
    example: 'sltv disk create web1 --thin --virtual-size 40G',
    role: 'operator',
    args: { name: { type: 'text', about: 'its name, of letters, digits and . _ -' } },
    options: {
      size: {
        type: 'size',
        about: 'thick: its size; thin: the first physical size (default: as configured, else 10G)',
        optional: true,
      },
      thin: { type: 'flag', about: 'take up space only as the guest writes; needs --virtual-size' },
      thick: { type: 'flag', about: 'take up all of its space at once (the default)' },
      virtualSize: { type: 'size', about: 'thin: what the guest sees', optional: true },
      pool: { type: 'text', about: 'where it goes (default: the configured pool)', optional: true },
    },
    gives: 'item',
    result: facts,
  }),
  async (input, at) => {
    checkSizes(input);
    const { sltv } = await at.client();
    const request = {
      name: input.name,
      vg: input.pool ?? '',
      mode: input.thin ? 'PROVISION_MODE_THIN' : 'PROVISION_MODE_THICK',
      sizeBytes: bytes('size', input.size),
      virtualSizeBytes: bytes('virtualSize', input.virtualSize),
    } as const;
    return diskReply(await sltv.createDisk(request, at));
  },
  { ...vg, thin: ['thinProv'] },
);

/** A daemon would refuse these too, but can't know what was typed. */
function checkSizes(input: {
  name: string;
  thin?: boolean | undefined;
  thick?: boolean | undefined;
  size?: bigint | undefined;
  virtualSize?: bigint | undefined;
}) {
  const again = `sltv disk create ${input.name}`;
  if (input.thin && input.thick) {
    throw coreErrors('input', 'a disk is thin or thick, and not both', {
      hint: `${again} --thin --virtual-size SIZE, or ${again} --size SIZE`,
    });
  }
  if (input.thin && input.virtualSize === undefined) {
    throw coreErrors('input', 'a thin disk needs --virtual-size, the size that the guest sees', {
      hint: `${again} --thin --virtual-size SIZE`,
    });
  }
  if (!input.thin && input.virtualSize !== undefined) {
    throw coreErrors('input', '--virtual-size is for thin disks: of a thick one the guest sees all', {
      hint: `${again} --thin --virtual-size SIZE, or ${again} --size SIZE`,
    });
  }
  if (!input.thin && input.size === undefined) {
    throw coreErrors('input', 'a disk needs a size', {
      hint: `${again} --size SIZE, or ${again} --thin --virtual-size SIZE`,
    });
  }
}

const list = command(
  verb({
    about: 'list disks',
    example: 'sltv disk list --pool vg-sltv',
    role: 'viewer',
    args: {},
    options: { pool: { type: 'text', about: 'only what lives in this pool', optional: true } },
    gives: 'list',
    result: summary,
  }),
  async (input, at) => {
    const message = await (await at.client()).sltv.listDisks({ vg: input.pool ?? '' }, at);
    return { message, rows: message.disks.map(factsOf) };
  },
  vg,
);

const show = command(
  verb({
    about: 'show a disk with all that is known of it',
    example: 'sltv disk show vg-sltv/web1',
    role: 'viewer',
    args: { name },
    options: {},
    gives: 'item',
    result: facts,
  }),
  async (input, at) => diskReply(await (await at.client()).sltv.getDisk({ name: input.name }, at)),
);

const extend = command(
  verb({
    about: 'grow the physical size, and on a thick disk what the guest sees',
    example: 'sltv disk extend web1 --delta 5G',
    role: 'operator',
    args: { name },
    options: {
      size: { type: 'size', about: 'the size to reach', optional: true },
      delta: { type: 'size', about: 'how much to add (5G or +5G)', optional: true },
    },
    gives: 'item',
    result: facts,
  }),
  async ({ name, size, delta }, at) => {
    if ((size === undefined) === (delta === undefined)) {
      const which = size === undefined ? 'neither --size nor --delta' : 'both --size and --delta';
      throw coreErrors('input', `sltv disk extend takes one of two, and was given ${which}`, {
        hint: `sltv disk extend ${name} --size 20G makes it 20 GiB, --delta 5G adds 5 GiB`,
      });
    }
    const request =
      size === undefined ? { name, deltaBytes: bytes('delta', delta) } : { name, sizeBytes: bytes('size', size) };
    return diskReply(await (await at.client()).sltv.extendDisk(request, at));
  },
);

const resize = command(
  verb({
    about: 'grow what the guest sees',
    example: 'sltv disk resize web1 --virtual-size 80G',
    role: 'operator',
    args: { name },
    options: { virtualSize: { type: 'size', about: 'the size to reach' } },
    gives: 'item',
    result: facts,
  }),
  async ({ name, virtualSize }, at) => {
    const request = { name, virtualSizeBytes: bytes('virtualSize', virtualSize) };
    return diskReply(await (await at.client()).sltv.resizeDisk(request, at));
  },
);

const attach = command(
  verb({
    about: 'put a disk into a VM, running or not',
    example: 'sltv disk attach web1 web --target vdb',
    role: 'operator',
    args: { disk: name, vm },
    options: {
      target: { type: 'text', about: 'where in the VM, such as vdb (default: a free one)', optional: true },
      readOnly: { type: 'flag', about: 'the guest may not write' },
    },
    gives: 'item',
    result: attachmentFacts,
  }),
  async (input, at) => {
    const request = {
      diskName: input.disk,
      vmName: input.vm,
      targetDev: input.target ?? '',
      readOnly: input.readOnly === true,
    };
    const message = await (await at.client()).sltv.attachDisk(request, at);
    return { message, rows: [attachmentFactsOf(message)] };
  },
);

const detach = command(
  verb({
    about: 'take a disk out of a VM',
    example: 'sltv disk detach web1 web',
    role: 'operator',
    args: { disk: name, vm },
    options: {},
    gives: 'nothing',
    result: {},
  }),
  async (input, at) => {
    await (await at.client()).sltv.detachDisk({ diskName: input.disk, vmName: input.vm }, at);
    return { message: {}, said: `disk ${input.disk} is out of VM ${input.vm}` };
  },
);

const remove = command(
  verb({
    about: 'delete a disk and all that is on it',
    example: 'sltv disk delete web1',
    role: 'operator',
    args: { name },
    options: { force: { type: 'flag', about: 'detach it first, if a VM has it' } },
    gives: 'nothing',
    result: {},
  }),
  async ({ name, force }, at) => {
    await (await at.client()).sltv.deleteDisk({ name, force: force === true }, at);
    return { message: {}, said: `disk ${name} is deleted` };
  },
);

export const disk: Commands = {
  'disk create': create,
  'disk list': list,
  'disk show': show,
  'disk extend': extend,
  'disk resize': resize,
  'disk attach': attach,
  'disk detach': detach,
  'disk delete': remove,
};

/** A size on the wire; 0 there means "not given", so it can't be asked for. */
function bytes(option: string, size: bigint | undefined): string {
  const hint = 'write a size such as 512M, 10G or 1.5T';
  if (size === 0n) throw coreErrors('bad-size', `${optionOf(option)} is 0, which asks for nothing`, { hint });
  if (size !== undefined && size < LEAST_SIZE) {
    throw coreErrors('bad-size', `${optionOf(option)} is ${formatSize(size)}: was its unit left out?`, { hint });
  }
  return String(size ?? 0n);
}

/** Bytes. Whoever asks for 20 bytes meant 20 GiB. */
const LEAST_SIZE = 4n * KiB;
