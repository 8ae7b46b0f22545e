// Whether a volume that somebody else made is raw or a qcow2 image. A guest may write into its raw disk whatever it likes, also the
// header of an image that names a file of the host; so what lies on a volume never makes it an image. Only a person does, or a VM
// that has it as one, and then its header must be harmless, too.
import type { Format } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import type { Header } from './qcow2.ts';
import type { User } from './users.ts';

/** What somebody who may know says of it. */
export interface Said {
  readonly format: Format;
  readonly because: string;
}

/** Asked before anything is read. Undefined: nobody says anything. Errors: `core/format-unclear`, `core/unsupported`. */
export function whatIsSaid(name: string, asked: Format | undefined, users: readonly User[]): Said | undefined {
  // libvirt takes a disk without a format for raw.
  const formats = [...new Set(users.map(({ device }) => device.format ?? 'raw'))];
  const vm = users[0]?.vm.name ?? '';
  const odd = formats.find((format) => format !== 'raw' && format !== 'qcow2');
  if (odd !== undefined) {
    throw coreErrors('unsupported', `${vm} has ${name} as ${odd}: sltv's disks are raw or qcow2`, {
      hint: 'qemu-img convert it to one of them',
    });
  }
  const disputed = formats.find((format) => format !== (asked ?? formats[0]));
  if (disputed !== undefined) {
    const other = asked === undefined ? `and as ${formats[0]}, now or at its next start` : `and not as ${asked}`;
    throw coreErrors('format-unclear', `${vm} has ${name} as ${disputed}, ${other}`, {
      hint:
        asked === undefined
          ? `make both the same: virsh edit ${vm}`
          : `leave --format out, or correct the VM first: virsh edit ${vm}`,
    });
  }
  if (asked !== undefined) return { format: asked, because: `${asked}, as you say` };
  const [format] = formats;
  if (format === undefined) return undefined;
  return { format: format === 'qcow2' ? 'qcow2' : 'raw', because: `${format}, as ${vm} has it` };
}

/** With what lies on it, which was read unless it is said to be raw. Errors: `core/format-unclear`, `core/image-unsafe`. */
export function judge(
  name: string,
  size: bigint,
  said: Said | undefined,
  header: Header | undefined,
): Said & { readonly virtualSize: bigint } {
  if (said?.format === 'qcow2') {
    const { because } = said;
    if (header === undefined) {
      throw coreErrors('image-unsafe', `${name} is to be ${because}, and it does not begin like an image`, {
        hint: `sltv disk adopt ${name} --format raw, if it is a raw disk`,
      });
    }
    if (header.unsafe !== undefined) {
      throw coreErrors('image-unsafe', `the image on ${name} can't be a disk: ${header.unsafe}`, { hint: header.hint });
    }
    return { format: 'qcow2', because, virtualSize: header.virtualSize };
  }
  if (said) return { ...said, virtualSize: size };
  if (header === undefined) {
    return { format: 'raw', because: 'raw: no VM has it, and it does not begin like an image', virtualSize: size };
  }
  throw coreErrors(
    'format-unclear',
    `${name} begins like a qcow2 image, and no VM has it: it may be one, or a raw disk into which its guest wrote that`,
    {
      hint: `if it was made as a thin disk: sltv disk adopt ${name} --format qcow2; if a guest had it as a raw disk: --format raw`,
    },
  );
}
