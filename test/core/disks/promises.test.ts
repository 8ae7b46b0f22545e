import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createPromises } from '../../../core/disks/promises.ts';

const test = suite<{ folder: string }>('promises');
test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'sltv-promises-'));
});
test.after.each(({ folder }) => rm(folder, { recursive: true }));

const in1 = (stateDir: string, bootId = 'b1') => ({ stateDir, bootId });
const given = (disk: string, claim: string) => ({ pool: 'p', name: 'd', disk, claim, by: 'n2' });

test('another process, and the next daemon, find what was promised', async ({ folder }) => {
  await createPromises(in1(folder), () => 5).give(given('a', '1'));
  const found = await createPromises(in1(folder)).of('a');
  assert.equal(found, [{ ...given('a', '1'), boot: 'b1', until: 95 }]);
  assert.equal(await createPromises(in1(folder)).of('b'), []);
});

test('two claims on one disk are two promises, and each ends by itself', async ({ folder }) => {
  const promises = createPromises(in1(folder));
  for (const claim of ['1', '2']) await promises.give(given('a', claim));
  assert.is((await promises.of('a')).length, 2);
  await promises.withdraw(given('a', '1'));
  await promises.withdraw(given('a', '1'));
  assert.equal(
    (await promises.all()).map(({ claim }) => claim),
    ['2'],
  );
});

test('one is old after a minute and a half', async ({ folder }) => {
  let now = 100;
  const promises = createPromises(in1(folder), () => now);
  await promises.give(given('a', '1'));
  const [promised] = await promises.all();
  assert.ok(promised);
  now = 190;
  assert.not.ok(promises.isOld(promised));
  now = 191;
  assert.ok(promises.isOld(promised));
});

test('one of an earlier boot holds on, and is old once this boot is as old as that', async ({ folder }) => {
  await createPromises(in1(folder), () => 7000).give(given('a', '1'));
  let now = 5;
  const next = createPromises(in1(folder, 'b2'), () => now);
  const [promised] = await next.of('a');
  assert.ok(promised);
  assert.not.ok(next.isOld(promised));
  now = 91;
  assert.ok(next.isOld(promised));
});

test('one that can not be read counts as of an earlier boot', async ({ folder }) => {
  await mkdir(join(folder, 'promises'));
  await writeFile(join(folder, 'promises/a.1'), 'torn');
  const promises = createPromises(in1(folder), () => 91);
  const [promised] = await promises.of('a');
  assert.ok(promised);
  assert.ok(promises.isOld(promised));
  await promises.withdraw(promised);
  assert.equal(await promises.all(), []);
});

test('without any there is no directory, and nothing is found', async ({ folder }) => {
  assert.equal(await createPromises(in1(join(folder, 'none'))).of('a'), []);
});

test.run();
