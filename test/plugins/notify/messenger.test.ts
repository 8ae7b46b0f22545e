import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Told } from '../../../core/kernel/capability.ts';
import { createLog } from '../../../core/log.ts';
import { createMessenger } from '../../../plugins/notify/messenger.ts';

const told = (subject: string): Told => ({ type: 'pool.grown', time: new Date(0), subject, message: 'has more room' });
const pauses = { initialDelay: 1, maxDelay: 1 };

function listening(signal = new AbortController().signal) {
  const lines: string[] = [];
  return {
    lines,
    with: { log: createLog({ level: 'debug', format: 'json', write: (line) => lines.push(line) }), signal, pauses },
  };
}

test('events are told one after another in their order', async () => {
  const order: string[] = [];
  const last = Promise.withResolvers<void>();
  const { with: by } = listening();
  const messenger = await createMessenger(
    async ({ subject }) => {
      order.push(`begin ${subject}`);
      await new Promise(setImmediate);
      order.push(`end ${subject}`);
      if (subject === 'b') last.resolve();
    },
    { tries: 1, backlog: 10 },
    by,
  );
  messenger.tell(told('a'));
  messenger.tell(told('b'));
  await last.promise;
  assert.equal(order, ['begin a', 'end a', 'begin b', 'end b']);
});

test('an event is given up after its tries, which the log says, and the next one is told', async () => {
  let tries = 0;
  const next = Promise.withResolvers<void>();
  const { lines, with: by } = listening();
  const messenger = await createMessenger(
    async ({ subject }) => {
      if (subject === 'b') return next.resolve();
      tries += 1;
      throw new Error('nobody home');
    },
    { tries: 3, backlog: 10 },
    by,
  );
  messenger.tell(told('a'));
  messenger.tell(told('b'));
  await next.promise;
  assert.is(tries, 3);
  assert.match(lines.join(''), /an event could not be told.*nobody home/);
});

test('what comes beyond the backlog is lost, and the log says how much', async () => {
  const gate = Promise.withResolvers<void>();
  const heard: string[] = [];
  const last = Promise.withResolvers<void>();
  const { lines, with: by } = listening();
  const messenger = await createMessenger(
    async ({ subject }) => {
      await gate.promise;
      heard.push(subject);
      if (subject === 'c') last.resolve();
    },
    { tries: 1, backlog: 2 },
    by,
  );
  for (const subject of ['a', 'b', 'c', 'd', 'e']) messenger.tell(told(subject));
  gate.resolve();
  await last.promise;
  assert.equal(heard, ['a', 'b', 'c']);
  assert.match(lines.join(''), /events were lost.*"lost":2/);
});

test('when the daemon stops, nothing more is tried', async () => {
  const life = new AbortController();
  const begun = Promise.withResolvers<void>();
  let tries = 0;
  const { lines, with: by } = listening(life.signal);
  const messenger = await createMessenger(
    async () => {
      tries += 1;
      begun.resolve();
      throw new Error('nobody home');
    },
    { tries: 100, backlog: 10 },
    { ...by, pauses: { initialDelay: 60_000, maxDelay: 60_000 } },
  );
  messenger.tell(told('a'));
  messenger.tell(told('b'));
  await begun.promise;
  life.abort();
  await new Promise(setImmediate);
  assert.equal([tries, lines], [1, []]);
});

test.run();
