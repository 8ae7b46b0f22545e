import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SltvError } from '../../../core/errors.ts';
import { openMemory } from '../../../plugins/etcd-lock/state-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sltv-state-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const fresh = () => mkdtempSync(join(folder, `${++count}-`));
const CLUSTER = { clusterId: 'c', n: 1, uuid: 'u', revision: 10n };

test('a node that was never a member remembers nothing', async () => {
  assert.is((await openMemory(fresh(), () => true)).get(), undefined);
});

test('what is adopted is kept before it is relied on, and forgets when this node spoke last', async () => {
  const state = fresh();
  const memory = await openMemory(state, () => false);
  await memory.adopt(CLUSTER);
  memory.spoke('k', 12n);
  assert.equal((await openMemory(state, () => false)).get(), { ...CLUSTER, spoken: 0n, spokenAt: '' });
  await memory.adopt({ ...CLUSTER, n: 2, revision: 3n });
  assert.equal(memory.get(), { ...CLUSTER, n: 2, revision: 3n, spoken: 0n, spokenAt: '' });
});

test('revisions only grow, and a daemon keeps the last', async () => {
  const state = fresh();
  const memory = await openMemory(state, () => true);
  await memory.adopt(CLUSTER);
  memory.saw(20n);
  memory.saw(15n);
  memory.spoke('k', 18n);
  memory.spoke('k', 17n);
  await memory.save();
  assert.equal((await openMemory(state, () => true)).get(), { ...CLUSTER, revision: 20n, spoken: 18n, spokenAt: 'k' });
});

test('a process that lives for a moment leaves the file to the daemon', async () => {
  const state = fresh();
  await (await openMemory(state, () => true)).adopt(CLUSTER);
  const before = readFileSync(join(state, 'etcd-lock.json'), 'utf8');
  const hook = await openMemory(state, () => false);
  hook.saw(99n);
  await hook.save();
  assert.is(readFileSync(join(state, 'etcd-lock.json'), 'utf8'), before);
});

for (const text of [
  '',
  '{',
  '{"clusterId":"c"}',
  '{"clusterId":"c","n":1,"uuid":"u","revision":"x","spoken":"0","spokenAt":""}',
]) {
  test(`a file that says ${JSON.stringify(text)} is refused by name, never taken for none`, async () => {
    const state = fresh();
    writeFileSync(join(state, 'etcd-lock.json'), text);
    const error = await openMemory(state, () => true).catch((thrown: unknown) => thrown);
    assert.instance(error, SltvError);
    assert.match(String(error), /etcd-lock\.json/);
  });
}

test.run();
