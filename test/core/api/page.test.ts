// The reference on docs/api.md is written from the .proto files; this holds it to them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renewed } from '../../../core/api/page.ts';
import { SERVICES } from '../../../core/api/services.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');

test('the reference is as the .proto files make it (npm run gen)', async () => {
  const options = { cwd: ROOT, preferLocal: true, localDir: ROOT, encoding: 'buffer', timeout: 60_000 } as const;
  const { stdout } = await execa('buf', ['build', '--output', '-'], options);
  assert.fixture(PAGE, renewed(PAGE, stdout));
});

test('every service, method, message that has fields, and field stands on it', () => {
  const ours = SERVICES.filter(({ file }) => file.proto.package === 'sltv.v1');
  const messages = ours.flatMap(({ file }) => file.messages).filter(({ fields }) => fields.length > 0);
  const wanted = [
    ...SERVICES.flatMap(({ typeName, methods }) => [
      `### ${typeName}\n`,
      ...methods.map(({ name }) => `| \`${name}\` |`),
    ]),
    ...messages.flatMap(({ name, fields }) => [
      `### ${name}\n`,
      ...fields.map((field) => `| \`${field.name}\` | ${field.number} |`),
    ]),
  ];
  assert.ok(wanted.length > 150);
  assert.equal(
    wanted.filter((each) => !PAGE.includes(each)),
    [],
  );
});

test('a comment of the .proto files stands beside what it is about', () => {
  assert.match(PAGE, '| `target_dev` | 3 | string | Empty: a free one is chosen. |');
  assert.match(PAGE, '| `ExtendDisk` | [ExtendDiskRequest](#extenddiskrequest) | [Disk](#disk) | operator |');
});

test.run();
