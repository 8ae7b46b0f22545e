// libvirt's XML: domains read, disks written.
import { type NewVmDisk, v } from 'sltv';
import { fail } from './errors.ts';

export interface DomainDisk {
  readonly target: string;
  /** Undefined for an empty drive or a source that has no path here, such as a network disk. */
  readonly path: string | undefined;
  readonly format: string | undefined;
  readonly readOnly: boolean;
  /** What QEMU knows the device as; only in a running domain. */
  readonly alias: string | undefined;
}

export interface Domain {
  readonly uuid: string;
  readonly name: string;
  /** It is a running domain's XML, not a definition. */
  readonly isLive: boolean;
  readonly disks: readonly DomainDisk[];
}

export interface Xml {
  /** Errors: `libvirt/bad-answer` for what is no domain's XML. */
  domain(text: string): Domain;
  disk(disk: NewVmDisk & { readonly target: string }): string;
}

/** Loads the XML library, which nothing but this plugin's setup needs. */
export async function loadXml(): Promise<Xml> {
  const { XMLBuilder, XMLParser } = await import('fast-xml-parser');
  // Names and paths are text, whatever they look like, and every blank in them counts.
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseTagValue: false,
    trimValues: false,
    isArray: (_name, path) => path === 'domain.devices.disk',
  });
  const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true });
  return {
    domain: (text) => readDomain(parser.parse(text)),
    disk: (disk) => builder.build({ disk: diskElement(disk) }),
  };
}

/** An element that may stand there without anything in it is read as text. */
const maybeEmpty = <T extends v.GenericSchema>(element: T) => v.optional(v.union([element, v.string()]));
const Disk = v.object({
  target: v.object({ '@dev': v.string() }),
  source: maybeEmpty(v.object({ '@file': v.optional(v.string()), '@dev': v.optional(v.string()) })),
  driver: maybeEmpty(v.object({ '@type': v.optional(v.string()) })),
  alias: v.optional(v.object({ '@name': v.string() })),
  readonly: v.optional(v.unknown()),
});
const Document = v.object({
  domain: v.object({
    '@id': v.optional(v.string()),
    uuid: v.pipe(v.string(), v.uuid()),
    name: v.string(),
    devices: maybeEmpty(v.object({ disk: v.optional(v.array(Disk), []) })),
  }),
});

function readDomain(document: unknown): Domain {
  const read = v.safeParse(Document, document);
  if (!read.success) {
    throw fail('bad-answer', "libvirt's XML of a VM is not as expected", { cause: v.flatten(read.issues).nested });
  }
  const { domain } = read.output;
  const devices = withoutText(domain.devices);
  return {
    uuid: domain.uuid,
    name: domain.name,
    isLive: domain['@id'] !== undefined,
    disks: (devices?.disk ?? []).map((disk) => {
      const source = withoutText(disk.source);
      return {
        target: disk.target['@dev'],
        path: source?.['@dev'] ?? source?.['@file'],
        format: withoutText(disk.driver)?.['@type'],
        readOnly: 'readonly' in disk,
        alias: disk.alias?.['@name'],
      };
    }),
  };
}

const withoutText = <T>(element: T | string | undefined): T | undefined =>
  typeof element === 'string' ? undefined : element;

/**
 * No host cache, so that what the guest has flushed is on the storage that other hosts see. `enospace`: a guest whose thin
 * disk is full stops and waits for room; all other errors it is told.
 */
function diskElement({ path, format, source, target, readOnly, serial }: NewVmDisk & { readonly target: string }) {
  return {
    '@type': source,
    '@device': 'disk',
    driver: {
      '@name': 'qemu',
      '@type': format,
      '@cache': 'none',
      // On a file, native I/O blocks the guest while the file system allocates.
      '@io': source === 'block' ? 'native' : 'threads',
      '@error_policy': 'enospace',
    },
    source: source === 'block' ? { '@dev': path } : { '@file': path },
    target: { '@dev': target, '@bus': 'virtio' },
    ...(serial === undefined ? {} : { serial }),
    ...(readOnly ? { readonly: '' } : {}),
  };
}
