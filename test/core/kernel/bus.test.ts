import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SltvError } from '../../../core/errors.ts';
import { createBus } from '../../../core/kernel/bus.ts';
import { EventTold, event, gate } from '../../../core/kernel/capability.ts';
import { createLog } from '../../../core/log.ts';

const Grown = event<{ name: string }>('disk.grown');
const Shown = event<{ name: string }>('disk.shown', ({ name }) => ({ subject: name, message: 'was shown' }));
const Create = gate<{ name: string }>('disk.create');

function makeBus(gateTimeout?: number) {
  const lines: string[] = [];
  return {
    lines,
    bus: createBus(createLog({ level: 'debug', format: 'json', write: (line) => lines.push(line) }), gateTimeout),
  };
}
const quiet = new AbortController().signal;

async function refusal(work: Promise<void>): Promise<SltvError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SltvError);
  return error as SltvError;
}

test('an observer that throws, or rejects, harms neither the others nor the one who told', async () => {
  const { bus, lines } = makeBus();
  const last = Promise.withResolvers<string>();
  bus.on('first', Grown, () => {
    throw new Error('broken');
  });
  bus.on('second', Grown, async () => {
    throw new Error('also broken');
  });
  bus.on('third', Grown, ({ name }) => last.resolve(name));
  bus.emit(Grown, { name: 'db' });
  assert.is(await last.promise, 'db');
  await new Promise(setImmediate);
  assert.match(lines[0] ?? '', 'plugin first failed to observe disk.grown');
  assert.match(lines[0] ?? '', 'broken');
  assert.match(lines[1] ?? '', 'plugin second');
});

test('an event that can be shown is told to those who hear of any, and no other is', async () => {
  const { bus, lines } = makeBus();
  const told: string[] = [];
  bus.on('log', EventTold, ({ type, subject, message }) => void told.push(`${type}: ${subject} ${message}`));
  bus.emit(Grown, { name: 'db' });
  bus.emit(Shown, { name: 'db' });
  await new Promise(setImmediate);
  assert.equal([told, lines], [['disk.shown: db was shown'], []]);
});

test('an event that fails to be shown is seen by its observers all the same, and the log has it', async () => {
  const { bus, lines } = makeBus();
  const Broken = event<{ name: string }>('disk.broken', () => {
    throw new Error('no words');
  });
  const seen = Promise.withResolvers<string>();
  bus.on('first', Broken, ({ name }) => seen.resolve(name));
  bus.emit(Broken, { name: 'db' });
  assert.is(await seen.promise, 'db');
  assert.match(lines.join(''), /disk.broken could not be shown.*no words/);
});

test('an observer runs after the step in which it was told', async () => {
  const { bus } = makeBus();
  const steps: string[] = [];
  bus.on('first', Grown, () => void steps.push('observed'));
  bus.emit(Grown, { name: 'db' });
  steps.push('told');
  await new Promise(setImmediate);
  assert.equal(steps, ['told', 'observed']);
});

test('a gate without guards is open', async () => {
  const { bus } = makeBus();
  await bus.ask(Create, { name: 'db' }, quiet);
});

test('guards are asked in order, and the first refusal ends the asking', async () => {
  const { bus } = makeBus();
  const asked: string[] = [];
  bus.before('first', Create, () => {
    asked.push('first');
    return undefined;
  });
  bus.before('second', Create, async ({ name }) => {
    asked.push('second');
    return { reason: `${name} is over quota`, hint: 'ask for more' };
  });
  bus.before('third', Create, () => {
    asked.push('third');
    return undefined;
  });
  const error = await refusal(bus.ask(Create, { name: 'db' }, quiet));
  assert.equal(asked, ['first', 'second']);
  assert.is(error.code, 'core/gate-refused');
  assert.is(error.kind, 'refused');
  assert.is(error.message, 'plugin second refuses disk.create: db is over quota');
  assert.is(error.hint, 'ask for more');
});

test('a guard that fails refuses', async () => {
  const { bus } = makeBus();
  bus.before('quota', Create, () => {
    throw new Error('no database');
  });
  const error = await refusal(bus.ask(Create, { name: 'db' }, quiet));
  assert.is(error.message, 'plugin quota refuses disk.create: it failed: no database');
});

for (const [answer, shown] of [
  [true, 'true'],
  [{}, '{}'],
  [{ reason: 5 }, '{"reason":5}'],
] as const) {
  test(`a guard that answers ${shown} refuses: it is neither a reason nor a permission`, async () => {
    const { bus } = makeBus();
    // As plain JavaScript may.
    bus.before('quota', Create, () => answer as unknown as undefined);
    const error = await refusal(bus.ask(Create, { name: 'db' }, quiet));
    assert.is(
      error.message,
      `plugin quota refuses disk.create: it answered ${shown}, which is no refusal: { reason: '…' }`,
    );
  });
}

test('a guard that never answers refuses when its time is up, though it ignores its signal', async () => {
  const { bus } = makeBus(20);
  bus.before('quota', Create, () => new Promise(() => {}));
  const error = await refusal(bus.ask(Create, { name: 'db' }, quiet));
  assert.is(error.code, 'core/gate-refused');
  assert.match(error.message, 'plugin quota refuses disk.create: it gave no answer within');
});

test('a guard hears that its time is up', async () => {
  const { bus } = makeBus(20);
  const heard = Promise.withResolvers<void>();
  bus.before('quota', Create, (_, signal) => {
    signal.addEventListener('abort', () => heard.resolve());
    return new Promise(() => {});
  });
  await refusal(bus.ask(Create, { name: 'db' }, quiet));
  await heard.promise;
});

test('a caller that has gone is no refusal', async () => {
  const { bus } = makeBus();
  const caller = new AbortController();
  bus.before('quota', Create, () => {
    caller.abort(new Error('gone'));
    return new Promise(() => {});
  });
  const error = await bus.ask(Create, { name: 'db' }, caller.signal).catch((thrown: unknown) => thrown);
  assert.is((error as Error).message, 'gone');
});

test.run();
