// libvirt's XML of the guests, and where in a guest's PCI tree a disk is.
import { XMLParser } from 'fast-xml-parser';
import * as v from 'valibot';
import { paths } from './bootfiles.ts';

export type GuestKind = 'tiny' | 'linux';

export interface GuestDisk {
  /** A block device or file inside the host. */
  readonly path: string;
  /** `raw` when not given. */
  readonly format?: 'raw' | 'qcow2';
  /** vda, vdb, … in the order given when not named. */
  readonly target?: string;
}

export interface DomainOptions {
  readonly name: string;
  readonly uuid: string;
  readonly kind: GuestKind;
  readonly disks: readonly GuestDisk[];
  /** The pair of pipes, without .in and .out, that is its control port. */
  readonly port: string;
  /** MiB. */
  readonly memory: number | undefined;
  /** More of <devices>. */
  readonly devices: string;
}

export function domainXml({ name, uuid, kind, disks, port, memory, devices }: DomainOptions): string {
  const isTiny = kind === 'tiny';
  const kernel = isTiny
    ? `<kernel>${escaped(paths.tinyGuest)}</kernel>`
    : `<kernel>${escaped(paths.vmlinux)}</kernel><initrd>${escaped(paths.linuxGuest)}</initrd>` +
      `<cmdline>console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable no_timer_check</cmdline>`;
  const controllers = isTiny
    ? `<controller type='pci' index='0' model='pci-root'/>`
    : `<controller type='pci' index='0' model='pcie-root'/>${`<controller type='pci' model='pcie-root-port'/>`.repeat(6)}`;
  const pipe = `<serial type='pipe'><source path='${escaped(port)}'/></serial>`;
  const serials = isTiny ? pipe : `<serial type='file'><source path='${escaped(port)}.console'/></serial>${pipe}`;
  return `<domain type='qemu'>
  <name>${escaped(name)}</name>
  <uuid>${uuid}</uuid>
  <memory unit='MiB'>${memory ?? (isTiny ? 32 : 128)}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='${isTiny ? 'pc' : 'q35'}'>hvm</type>${kernel}</os>
  <features><acpi/></features>
  <cpu mode='custom'><model>qemu64</model></cpu>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    ${disks.map((disk, n) => diskXml(disk, `vd${String.fromCharCode(0x61 + n)}`)).join('\n    ')}
    ${controllers}
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    ${serials}
    ${devices}
  </devices>
</domain>
`;
}

function diskXml({ path, format = 'raw', target }: GuestDisk, standard: string): string {
  const [type, attribute] = path.startsWith('/dev/') ? ['block', 'dev'] : ['file', 'file'];
  return (
    `<disk type='${type}' device='disk'>` +
    `<driver name='qemu' type='${format}' cache='none' io='native' error_policy='enospace'/>` +
    `<source ${attribute}='${escaped(path)}'/><target dev='${target ?? standard}' bus='virtio'/></disk>`
  );
}

function escaped(text: string): string {
  return text.replace(/[&<>'"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

const Address = v.object({
  '@bus': v.optional(v.string()),
  '@slot': v.optional(v.string()),
  '@function': v.optional(v.string()),
});
const Status = v.object({
  domstatus: v.object({
    domain: v.object({
      devices: v.object({
        disk: v.optional(
          v.array(v.object({ target: v.object({ '@dev': v.string() }), address: v.optional(Address) })),
          [],
        ),
        controller: v.optional(
          v.array(v.object({ '@type': v.string(), '@index': v.string(), address: v.optional(Address) })),
          [],
        ),
      }),
    }),
  }),
});

export interface PciPlace {
  readonly slot: number;
  /** On a PCI Express machine: the root port on bus 0 (`1c.0`), behind which the disk alone is. */
  readonly behind: string | undefined;
}

/** Where the disk at this target is now, by libvirt's own account of the running domain; undefined when it isn't. */
export function placeOf(statusXml: string, target: string): PciPlace | undefined {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    isArray: (name) => name === 'disk' || name === 'controller',
  });
  const { disk, controller } = v.parse(Status, parser.parse(statusXml)).domstatus.domain.devices;
  const address = disk.find((one) => one.target['@dev'] === target)?.address;
  if (address === undefined) return undefined;
  const bus = Number(address['@bus']);
  const port = controller.find((one) => one['@type'] === 'pci' && bus !== 0 && Number(one['@index']) === bus)?.address;
  const word = (value: string | undefined) => Number(value).toString(16);
  const behind = port && `${word(port['@slot']).padStart(2, '0')}.${word(port['@function'])}`;
  return { slot: Number(address['@slot']), behind };
}
