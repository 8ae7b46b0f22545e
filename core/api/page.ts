// The reference in docs/api.md, from the .proto files with their comments: `npm run gen`. A test compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  ScalarType,
} from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { RULES } from './methods.ts';
import { SERVICES } from './services.ts';

/** What stands above this line is written by hand. */
const MARK = '<!-- From here on written by `npm run gen` from core/api/**/*.proto; a test compares. -->';

/** The page with a reference that is made anew. `image`: what `buf build` gives, with its source info. */
export function renewed(page: string, image: Uint8Array): string {
  const head = page.split(MARK, 1)[0] ?? '';
  return `${head}${MARK}\n\n${referenceOf(image)}\n`;
}

function referenceOf(image: Uint8Array): string {
  const schema = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  const services = SERVICES.map(({ typeName }) => schema.getService(typeName)).filter((each) => each !== undefined);
  const ours = new Set(services.map(({ file }) => file).filter(isOurs));
  for (const file of schema.files) if (isOurs(file)) ours.add(file);
  const types = [...ours].flatMap((file) => [...nestedTypes(file)]).filter((type) => type.kind !== 'service');
  return [
    '## Services',
    ...services.map(serviceSection),
    '## Messages',
    ...types
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((type) => (type.kind === 'enum' ? enumSection(type) : type.kind === 'message' ? messageSection(type) : ''))
      .filter((section) => section !== ''),
  ].join('\n\n');
}

const isOurs = ({ proto }: DescFile): boolean => proto.package === 'sltv.v1';

function serviceSection(service: DescService): string {
  const rows = service.methods.map((method) => [
    `\`${method.name}\``,
    messageLink(method.input),
    `${method.methodKind.includes('streaming') ? 'stream of ' : ''}${messageLink(method.output)}`,
    RULES[`${service.typeName}/${method.name}`]?.role ?? '',
    commentOf(method),
  ]);
  return section(service.typeName, commentOf(service), table(['method', 'takes', 'gives', 'role', ''], rows));
}

/** Requests that say nothing have no section. */
function messageSection(message: DescMessage): string {
  if (message.fields.length === 0) return '';
  const rows = message.fields.map((field) => [
    `\`${field.name}\``,
    String(field.number),
    typeOf(field),
    commentOf(field),
  ]);
  return section(message.name, commentOf(message), table(['field', 'number', 'type', ''], rows));
}

function enumSection(type: DescEnum): string {
  const rows = type.values.map((value) => [`\`${value.name}\``, String(value.number)]);
  return section(type.name, commentOf(type), table(['value', 'number'], rows));
}

const section = (title: string, comment: string, body: string): string =>
  [`### ${title}`, comment, body].filter((part) => part !== '').join('\n\n');

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

function typeOf(field: DescField): string {
  switch (field.fieldKind) {
    case 'map':
      return `map<string, ${field.mapKind === 'scalar' ? scalarName(field) : valueLink(field)}>`;
    case 'list':
      return `repeated ${field.listKind === 'scalar' ? scalarName(field) : valueLink(field)}`;
    case 'scalar':
      return scalarName(field);
    default:
      return valueLink(field);
  }
}

const scalarName = ({ scalar }: DescField): string => (scalar === undefined ? '' : ScalarType[scalar].toLowerCase());

const valueLink = (field: DescField): string => {
  const type = field.message ?? field.enum;
  return type === undefined ? '' : linkTo(type);
};

const messageLink = (message: DescMessage): string =>
  message.fields.length === 0 && isOurs(message.file) ? 'nothing' : linkTo(message);

const linkTo = (type: DescMessage | DescEnum): string =>
  isOurs(type.file) ? `[${type.name}](#${type.name.toLowerCase()})` : `\`${type.typeName}\``;

/** The comment before a declaration, as one line. */
function commentOf(declared: DescService | DescMethod | DescMessage | DescField | DescEnum): string {
  const path = pathOf(declared).join();
  const { sourceCodeInfo } = fileOf(declared).proto;
  const found = sourceCodeInfo?.location.find((location) => location.path.join() === path);
  return (found?.leadingComments ?? '')
    .trim()
    .split(/\s*\n\s*/)
    .join(' ')
    .replaceAll('|', '\\|');
}

const fileOf = (declared: Parameters<typeof pathOf>[0]): DescFile =>
  declared.kind === 'rpc' || declared.kind === 'field' ? declared.parent.file : declared.file;

/** Where it stands in its file, in descriptor.proto's numbers: 4 messages, 5 enums, 6 services; fields and methods are their 2. */
function pathOf(declared: DescService | DescMethod | DescMessage | DescField | DescEnum): readonly number[] {
  switch (declared.kind) {
    case 'rpc':
      return [...pathOf(declared.parent), 2, declared.parent.methods.indexOf(declared)];
    case 'field':
      return [...pathOf(declared.parent), 2, declared.parent.fields.indexOf(declared)];
    case 'service':
      return [6, declared.file.services.indexOf(declared)];
    case 'message':
      return declared.parent
        ? [...pathOf(declared.parent), 3, declared.parent.nestedMessages.indexOf(declared)]
        : [4, declared.file.messages.indexOf(declared)];
    case 'enum':
      return declared.parent
        ? [...pathOf(declared.parent), 4, declared.parent.nestedEnums.indexOf(declared)]
        : [5, declared.file.enums.indexOf(declared)];
  }
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '../../docs/api.md');
  writeFileSync(path, renewed(readFileSync(path, 'utf8'), await buffer(process.stdin)));
}
