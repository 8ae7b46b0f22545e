// sltv disk …
import { coreErrors } from '../errors.ts';
import { verb } from '../kernel/verb.ts';
import { formatSize, KiB } from '../units.ts';
import { attachmentFacts, attachmentFactsOf } from './attachment-facts.ts';
import { type Commands, command } from './command.ts';
import { adopted, diskReply, facts, summary, summaryOf } from './disk-facts.ts';
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
    return { message, rows: message.disks.map(summaryOf) };
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

const adopt = command(
  verb({
    about: 'make a disk of a volume that sltv did not make, as it is; also while a VM runs with it',
    example: 'sltv disk adopt vg-sltv/web1',
    role: 'admin',
    args: { volume: { type: 'text', about: 'VOLUME, POOL/VOLUME or a path of it', optional: true } },
    options: {
      all: { type: 'flag', about: 'each volume of the pool that can be' },
      pool: {
        type: 'text',
        about: 'where it is; with --all, which pool (default: the configured pool)',
        optional: true,
      },
      format: {
        type: 'text',
        about: 'what is on it, where you know (default: as its VM has it)',
        choices: ['raw', 'qcow2'],
        optional: true,
      },
    },
    gives: 'list',
    result: adopted,
  }),
  async ({ volume, all, pool, format }, at) => {
    if ((volume === undefined) === (all !== true)) {
      const which = all ? 'both a volume and --all' : 'neither a volume nor --all';
      throw coreErrors('input', `sltv disk adopt takes one of two, and was given ${which}`, {
        hint: 'sltv disk adopt POOL/VOLUME makes a disk of one, sltv disk adopt --all --pool POOL of each that can be',
      });
    }
    const { sltv } = await at.client();
    const request = { name: volume ?? '', vg: pool ?? '', format: format ?? '' };
    const timeout = at.timeout ?? (all ? ALL_PATIENCE : undefined);
    const message = await sltv.adoptDisks(request, { signal: at.signal, timeout });
    const { adoptions } = message;
    const left = adoptions.filter(({ disk }) => disk === undefined);
    return {
      message,
      ...(adoptions.length === 0 ? { said: 'all volumes of the pool are disks already, or it has none' } : {}),
      rows: adoptions.flatMap(({ disk, because }) => (disk ? [{ ...summaryOf(disk), because }] : [])),
      remarks: left.map(
        ({ vg, name, because, hint, code }) =>
          `${vg}/${name} is left as it is: ${because}${hint === '' ? '' : `\nhint: ${hint}`}      [${code}]`,
      ),
    };
  },
  vg,
);

/** Milliseconds. Each volume takes a second or so, and there may be a thousand. */
const ALL_PATIENCE = 60 * 60 * 1000;

const forget = command(
  verb({
    about: 'let a disk go: its volume stays with what is on it, and sltv has no more to do with it',
    example: 'sltv disk forget web1',
    role: 'admin',
    args: { name },
    options: { attached: { type: 'flag', about: 'also one that a VM has; the VM keeps it' } },
    gives: 'nothing',
    result: {},
  }),
  async ({ name, attached }, at) => {
    await (await at.client()).sltv.forgetDisk({ name, attached: attached === true }, at);
    return {
      message: {},
      said: `${name} is no disk of sltv's any more; the volume, and what is on it, is as it was`,
    };
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
  'disk adopt': adopt,
  'disk forget': forget,
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
