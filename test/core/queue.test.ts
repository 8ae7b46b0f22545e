import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Turn } from '../../core/capabilities/storage.ts';
import { createQueue, type Queue } from '../../core/queue.ts';

const never = new AbortController().signal;
const ordinary: Turn = { signal: never };
const extension = (secondsToFull: number): Turn => ({ signal: never, urgency: { secondsToFull } });

/** A queue that somebody holds until `open` is called, and the order in which others then had their turn. */
function held(): {
  queue: Queue;
  order: string[];
  open: () => Promise<void>;
  join: (turn: Turn, name: string) => Promise<void>;
} {
  const queue = createQueue();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const holder = queue.run(ordinary, () => gate.promise);
  return {
    queue,
    order,
    open: () => {
      gate.resolve();
      return holder;
    },
    join: (turn, name) => queue.run(turn, async () => void order.push(name)),
  };
}

test('work is done in the order of arrival', async () => {
  const { order, open, join } = held();
  const all = ['a', 'b', 'c'].map((name) => join(ordinary, name));
  await open();
  await Promise.all(all);
  assert.equal(order, ['a', 'b', 'c']);
});

test('extensions go first, the guest that is full soonest foremost, equals by arrival', async () => {
  const { order, open, join } = held();
  const all = [
    join(ordinary, 'create'),
    join(extension(60), 'calm'),
    join(extension(2), 'soon'),
    join(extension(2), 'soon, later'),
    join(extension(Number.POSITIVE_INFINITY), 'never full'),
  ];
  await open();
  await Promise.all(all);
  assert.equal(order, ['soon', 'soon, later', 'calm', 'never full', 'create']);
});

test('two never run at once', async () => {
  const queue = createQueue();
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await turnOfTheLoop();
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => queue.run(ordinary, work)));
  assert.is(most, 1);
});

test('whoever asks right when a turn ends does not slip in beside the next one', async () => {
  const { queue, order, open, join } = held();
  const waiting = join(ordinary, 'waited');
  const late = open().then(() => join(ordinary, 'late'));
  await Promise.all([waiting, late]);
  assert.equal(order, ['waited', 'late']);
  assert.is(await queue.run(ordinary, async () => 'free again'), 'free again');
});

test('a signal ends the waiting, and nobody behind it waits for it', async () => {
  const { order, open, join } = held();
  const patience = new AbortController();
  const gone = join({ signal: patience.signal }, 'gone');
  const stays = join(ordinary, 'stays');
  patience.abort(new Error('enough'));
  await gone.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'enough'),
  );
  await open();
  await stays;
  assert.equal(order, ['stays']);
});

test('a signal does not end work that has begun', async () => {
  const patience = new AbortController();
  const gate = Promise.withResolvers<string>();
  const work = createQueue().run({ signal: patience.signal }, () => gate.promise);
  patience.abort();
  gate.resolve('done');
  assert.is(await work, 'done');
});

test('a caller whose signal has fired gets no turn', async () => {
  let began = false;
  const signal = AbortSignal.abort(new Error('late'));
  const work = createQueue().run({ signal }, async () => {
    began = true;
  });
  await work.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'late'),
  );
  assert.not(began);
});

test('work that throws gives its turn on', async () => {
  const { order, open, join, queue } = held();
  const throws = queue.run(ordinary, async () => {
    throw new Error('mine');
  });
  const next = join(ordinary, 'next');
  const said = throws.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'mine'),
  );
  await open();
  await Promise.all([said, next]);
  assert.equal(order, ['next']);
});

test('who has to wait is told so, and nobody else is', async () => {
  const told: string[] = [];
  const turn = (name: string): Turn => ({ signal: never, tell: ({ stage }) => told.push(`${name}: ${stage}`) });
  const { queue, open } = held();
  const waiting = queue.run(turn('second'), async () => {});
  await open();
  await waiting;
  await queue.run(turn('alone'), async () => {});
  assert.equal(told, ['second: waiting for others that write to the pool']);
});

test.run();
