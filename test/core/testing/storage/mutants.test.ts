import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { storageConformance } from '../../../../core/testing/index.ts';
import { memorySubject } from '../../../fixtures/memory-subject.ts';
import { factOf, failures } from '../../../fixtures/mutants.ts';
import { STORAGE_MUTANTS } from '../../../fixtures/storage-mutants.ts';

const suite = storageConformance(memorySubject());

for (const { wrong, spoil, caughtBy } of STORAGE_MUTANTS) {
  test(`the storage suite catches: ${wrong}`, async () => {
    const failed = await failures(storageConformance({ ...memorySubject(spoil), patience: 200 }));
    assert.ok(
      failed.some((fact) => fact.startsWith(caughtBy)),
      `'${caughtBy}' held; these did not: ${failed.join('; ')}`,
    );
  });
}

test('every case of the storage suite fails for some mutant', () => {
  const unproven = suite
    .map(({ title }) => factOf(title))
    .filter((fact) => !STORAGE_MUTANTS.some(({ caughtBy }) => fact.startsWith(caughtBy)));
  assert.equal(unproven, []);
});

test('every mutant names a case', () => {
  const facts = suite.map(({ title }) => factOf(title));
  const lost = STORAGE_MUTANTS.filter(({ caughtBy }) => !facts.some((fact) => fact.startsWith(caughtBy)));
  assert.equal(
    lost.map(({ wrong }) => wrong),
    [],
  );
});

test('a storage whose paths are switched does not pass for one whose paths are always there', async () => {
  const failed = await failures(storageConformance({ ...memorySubject(), activation: 'always' }));
  assert.equal(failed, ['a volume’s path is there as long as the volume is']);
});

test('what nobody can find out about a storage is not claimed of it', () => {
  const { name, make } = memorySubject();
  const bare = storageConformance({ name, make, activation: 'none' }).map(({ title }) => title);
  assert.not.ok(bare.some((title) => /active|open|restart|commit, |by hand/.test(title)));
  assert.ok(bare.length > 30);
});

test.run();
