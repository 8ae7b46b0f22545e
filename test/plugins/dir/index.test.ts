import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Storage } from '../../../core/capabilities/storage.ts';
import type { Node } from '../../../core/node.ts';
import dir from '../../../plugins/dir/index.ts';
import { DIR_NODE, makeDirectory } from '../../fixtures/dir-storage.ts';
import { bootOne } from '../../fixtures/one-plugin.ts';

const never = new AbortController().signal;
const nodeIn = (directory: string): Node => ({ ...DIR_NODE, stateDir: join(directory, 'state'), runDir: directory });

async function poolsOf(plugin: ReturnType<typeof dir>, node: Node) {
  const daemon = await bootOne(plugin, node);
  return Promise.all(daemon.all(Storage).map((storage) => storage.pools(never))).then((pools) => pools.flat());
}

test('without options there is a pool disks in the state directory, made so that QEMU gets through and nobody looks in', async () => {
  await using made = await makeDirectory();
  const mask = process.umask(0o077);
  const pools = await poolsOf(dir(), nodeIn(made.directory)).finally(() => process.umask(mask));
  assert.equal(
    pools.map(({ name, kind }) => [name, kind]),
    [['disks', 'dir']],
  );
  assert.is((await stat(join(made.directory, 'state/disks'))).mode & 0o777, 0o711);
});

test('a state directory whose disks are there keeps its mode', async () => {
  await using made = await makeDirectory();
  const disks = join(made.directory, 'state/disks');
  await mkdir(disks, { recursive: true });
  const before = await stat(disks);
  assert.is((await poolsOf(dir(), nodeIn(made.directory))).length, 1);
  assert.is((await stat(disks)).mode, before.mode);
});

test('with options there are the pools that they name, in their order, and nothing is made', async () => {
  await using made = await makeDirectory();
  await mkdir(join(made.directory, 'b'));
  await mkdir(join(made.directory, 'a'));
  const pools = await poolsOf(
    dir({ pools: { b: join(made.directory, 'b/'), gone: join(made.directory, 'gone'), a: join(made.directory, 'a') } }),
    nodeIn(made.directory),
  );
  assert.equal(
    pools.map(({ name }) => name),
    ['b', 'a'],
  );
  const facts = await pools[0]?.facts(never);
  assert.equal(facts?.devices, [join(made.directory, 'b')]);
  assert.is(await stat(join(made.directory, 'gone')).catch(() => 'not made'), 'not made');
  assert.is(await stat(join(made.directory, 'state')).catch(() => 'not made'), 'not made');
});

for (const [what, options, words] of [
  ['a relative path', { pools: { a: 'disks' } }, /absolute/],
  ['a pool without a name', { pools: { '': '/a' } }, /letters, digits/],
  ['a pool with a slash in its name', { pools: { 'a/b': '/a' } }, /letters, digits/],
  ['a directory for two pools', { pools: { a: '/srv/a', b: '/srv/a/' } }, /two pools share a directory/],
  ['a misspelt option', { pool: {} }, /pool/],
  ['a list of pools', { pools: ['/a'] }, /Object|Array|letters/],
] as const) {
  test(`the options refuse ${what}`, async () => {
    const error = await bootOne({ ...dir(), given: options }, nodeIn('/nowhere')).catch((thrown: unknown) => thrown);
    assert.match(String(error), words);
  });
}

test.run();
