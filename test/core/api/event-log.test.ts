import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createEventLog, type Kept, type Wanted } from '../../../core/api/event-log.ts';
import { SltvError } from '../../../core/errors.ts';

const never = new AbortController().signal;

/** A log in which so many events have happened, a second apart, from the first second of 1970 on. */
function logOf(count: number, { capacity = 10, life = 'a-life' } = {}) {
  const log = createEventLog({ life, capacity });
  const happen = (n: number) =>
    log.add({ type: 'disk.grown', time: new Date(n * 1000), subject: `disk-${n}`, message: 'grew' });
  for (let n = 1; n <= count; n += 1) happen(n);
  return { log, happen };
}

async function all(log: ReturnType<typeof createEventLog>, wanted: Partial<Wanted> = {}): Promise<readonly Kept[]> {
  const events: Kept[] = [];
  for await (const event of log.read({ follow: false, ...wanted }, never)) events.push(event);
  return events;
}

const shown = (events: readonly Kept[]) =>
  events.map(({ type, subject, message }) => (type === 'events.missed' ? message : subject));

test('what has happened is read in its order', async () => {
  assert.equal(shown(await all(logOf(3).log)), ['disk-1', 'disk-2', 'disk-3']);
});

test('whoever comes back with a cursor gets what came after it, and nothing twice', async () => {
  const { log } = logOf(3);
  const [first, , last] = await all(log);
  assert.equal(shown(await all(log, { after: first?.cursor ?? '' })), ['disk-2', 'disk-3']);
  assert.equal(await all(log, { after: last?.cursor ?? '' }), []);
});

test('only what happened since a time is read', async () => {
  assert.equal(shown(await all(logOf(3).log, { since: new Date(2000) })), ['disk-2', 'disk-3']);
});

test('a log keeps no more than its capacity, and says how many a reader has missed', async () => {
  const { log, happen } = logOf(1);
  const [first] = await all(log);
  for (let n = 2; n <= 100; n += 1) happen(n);
  const rest = await all(log, { after: first?.cursor ?? '' });
  assert.match(shown(rest)[0] ?? '', /^\d+ events are not kept any more$/);
  assert.is(shown(rest).at(-1), 'disk-100');
  assert.ok(rest.length <= 11);
  const missed = Number.parseInt(shown(rest)[0] ?? '', 10);
  assert.is(1 + missed + rest.length - 1, 100, 'what was read before, what is missed, what is read now');
  assert.equal(await all(log, { after: rest.at(-1)?.cursor ?? '' }), []);
});

test('a cursor of an earlier life of the daemon says so, and what is kept follows', async () => {
  const before = await all(logOf(5).log);
  const { log } = logOf(1, { life: 'another-life' });
  const [missed, first] = await all(log, { after: before[4]?.cursor ?? '' });
  assert.is(missed?.type, 'events.missed');
  assert.match(missed?.message ?? '', 'started anew');
  assert.is(first?.subject, 'disk-1');
  assert.equal(shown(await all(log, { after: missed?.cursor ?? '' })), ['disk-1'], 'and has a cursor itself');
});

test('a cursor that is none is refused with what to do', async () => {
  const error = await all(logOf(1).log, { after: 'yesterday' }).catch((thrown: unknown) => thrown);
  assert.instance(error, SltvError);
  assert.is((error as SltvError).code, 'core/input');
});

test('who follows gets what happens, until he leaves', async () => {
  const { log, happen } = logOf(1);
  const leaving = new AbortController();
  const reading = log.read({ follow: true }, leaving.signal)[Symbol.asyncIterator]();
  assert.is((await reading.next()).value?.subject, 'disk-1');
  const next = reading.next();
  happen(2);
  assert.is((await next).value?.subject, 'disk-2');
  const last = reading.next();
  leaving.abort(new Error('gone'));
  await last.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'gone'),
  );
});

test('a reader that does not read holds nothing up, and finds out what it missed', async () => {
  const { log, happen } = logOf(1);
  const reading = log.read({ follow: true }, never)[Symbol.asyncIterator]();
  await reading.next();
  for (let n = 2; n <= 100; n += 1) happen(n);
  assert.is((await reading.next()).value?.type, 'events.missed');
});

test.run();
