import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createJournal, type Journal } from '../../../core/disks/journal.ts';
import { failure } from './house.ts';

const test = suite('the request journal');
const inDirectory = (title: string, work: (journal: Journal, directory: string) => Promise<void>) =>
  test(title, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sltv-journal-'));
    try {
      await work(createJournal(directory), directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
const decision = {
  requestId: 'r',
  operation: 'disk.extend',
  asked: { name: 'd', delta: 4n },
  pool: 'p',
  name: 'd',
  disk: 'i',
};

inDirectory('a decision is recalled by another daemon of this host', async (journal, directory) => {
  assert.is(await journal.recall('r', 'disk.extend', decision.asked), undefined);
  await journal.decide({ ...decision, size: '8' });
  const found = await createJournal(directory).recall('r', 'disk.extend', { name: 'd', delta: 4n });
  assert.equal([found?.size, found?.done], ['8', false]);
});

inDirectory('one id can not mean two things', async (journal) => {
  await journal.decide(decision);
  assert.is((await failure(journal.recall('r', 'disk.extend', { name: 'd', delta: 5n }))).code, 'core/request-reused');
  assert.is((await failure(journal.recall('r', 'disk.delete', decision.asked))).code, 'core/request-reused');
});

inDirectory('what was finished is not unfinished', async (journal) => {
  await journal.decide(decision);
  assert.is((await journal.unfinished('disk.extend')).length, 1);
  await journal.finish('r');
  await journal.finish('never decided');
  assert.equal(await journal.unfinished('disk.extend'), []);
});

inDirectory('a torn file counts as none', async (journal, directory) => {
  await journal.decide(decision);
  const [name = ''] = await readdir(directory);
  await writeFile(join(directory, name), '{"requestId": "r", "oper');
  assert.is(await journal.recall('r', 'disk.extend', decision.asked), undefined);
  await journal.decide(decision);
  assert.is((await journal.recall('r', 'disk.extend', decision.asked))?.disk, 'i', 'and is replaced');
  assert.equal(await readdir(directory), [name]);
});

inDirectory('its directory is made when it is needed', async (_journal, directory) => {
  const journal = createJournal(join(directory, 'requests'));
  await journal.decide(decision);
  assert.ok(await journal.recall('r', 'disk.extend', decision.asked));
});

inDirectory('what is older than a day is forgotten', async (journal, directory) => {
  await journal.decide(decision);
  await journal.prune();
  const [name = ''] = await readdir(directory);
  const old = Date.now() / 1000 - 25 * 60 * 60;
  await utimes(join(directory, name), old, old);
  await journal.prune();
  assert.equal(await readdir(directory), []);
});

test.run();
