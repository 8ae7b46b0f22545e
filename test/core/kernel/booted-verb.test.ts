import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coreErrors, SltvError } from '../../../core/errors.ts';
import { createBehalf } from '../../../core/kernel/behalf.ts';
import { bootedVerb } from '../../../core/kernel/booted-verb.ts';
import { type Gives, verb } from '../../../core/kernel/verb.ts';

const declare = (gives: Gives) =>
  verb({
    about: 'do it',
    example: 'sltv odd do 1',
    role: 'viewer',
    args: { to: { type: 'count', about: 'how far', optional: true } },
    options: {},
    gives,
    result: { number: { type: 'count', about: 'a number' } },
  });
const caller = { name: 'test', role: 'admin' } as const;
const call = { signal: new AbortController().signal, caller, requestId: 'r1' };

/** Runs the handler of a plugin `odd` as a call does, and answers with all that it gave. */
async function answered(gives: Gives, handler: unknown, by = call): Promise<unknown> {
  const answer = bootedVerb('odd', 'odd do', declare(gives), handler, createBehalf()).run({ to: 1 }, by);
  return Symbol.asyncIterator in answer ? await Array.fromAsync(answer) : await answer;
}

async function failure(work: Promise<unknown>): Promise<SltvError> {
  const error = await work.then(
    (value) => assert.unreachable(`it gave ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SltvError);
  return error as SltvError;
}

test('what is declared comes back as the plugin gave it', async () => {
  assert.equal(await answered('item', async () => ({ number: 1 })), { number: 1 });
  assert.equal(await answered('item', () => ({ number: 1 })), { number: 1 });
  assert.equal(await answered('list', async () => [{ number: 1 }, { number: 2 }]), [{ number: 1 }, { number: 2 }]);
  const counted = async function* ({ to }: { to: number }) {
    yield { number: to };
    yield { number: to + 1 };
  };
  assert.equal(await answered('stream', counted), [{ number: 1 }, { number: 2 }]);
});

for (const [title, gives, handler, said] of [
  [
    'a wrong type',
    'item',
    async () => ({ number: 'one' }),
    'otherwise than it declares: number should be a whole number, not "one"',
  ],
  ['a missing field', 'item', async () => ({}), 'otherwise than it declares: number is missing'],
  [
    'an unknown field',
    'item',
    async () => ({ number: 1, x: 1 }),
    'otherwise than it declares: x is no field of its result',
  ],
  ['nothing', 'item', async () => {}, 'otherwise than it declares: expected an object of number, got undefined'],
  ['no list', 'list', async () => ({ number: 1 }), 'otherwise than it declares: expected a list, got {"number":1}'],
  ['no stream', 'stream', async () => 5, 'with 5, not with a stream'],
  [
    'a stream that goes wrong',
    'stream',
    async function* () {
      yield { number: 1 };
      yield { number: '2' };
    },
    'number should be a whole number, not "2"',
  ],
] as const) {
  test(`a plugin that answers with ${title} is named`, async () => {
    const error = await failure(answered(gives, handler));
    assert.is(error.code, 'core/plugin-failed');
    assert.is(error.kind, 'internal');
    assert.ok(error.message.startsWith(`plugin odd answered 'odd do' `), error.message);
    assert.ok(error.message.includes(said), error.message);
  });
}

for (const [title, handler] of [
  [
    'throws at once',
    () => {
      throw new TypeError('no moon');
    },
  ],
  [
    'rejects',
    async () => {
      throw new TypeError('no moon');
    },
  ],
  [
    'throws within its stream',
    // biome-ignore lint/correctness/useYield: it fails before it has anything to give.
    async function* () {
      throw new TypeError('no moon');
    },
  ],
] as const) {
  test(`a plugin that ${title} is named`, async () => {
    const error = await failure(answered(title.endsWith('stream') ? 'stream' : 'item', handler));
    assert.is(error.code, 'core/plugin-failed');
    assert.is(error.message, "plugin odd failed at 'odd do': no moon");
    assert.instance(error.cause, TypeError);
  });
}

test('what a plugin says in our language stays as it is', async () => {
  const own = new SltvError('busy', 'odd/busy', 'it is busy', { hint: 'wait' });
  assert.is(await failure(answered('item', () => Promise.reject(own))), own);
});

test('an error of a kind that there isn’t is a failure of its plugin', async () => {
  const own = new SltvError('sad' as 'busy', 'odd/sad', 'it is sad');
  const error = await failure(answered('item', () => Promise.reject(own)));
  assert.is(error.message, "plugin odd failed at 'odd do': it is sad");
});

test('a plugin that gives up because its caller has gone did not fail', async () => {
  const reason = coreErrors('cancelled', 'the caller has gone');
  const by = { ...call, signal: AbortSignal.abort(reason) };
  assert.is(
    await failure(answered('item', async (_: unknown, { signal }: typeof call) => signal.throwIfAborted(), by)),
    reason,
  );
});

test('whoever leaves a stream early ends it', async () => {
  const ended = Promise.withResolvers<void>();
  const endless = async function* () {
    try {
      while (true) yield { number: 1 };
    } finally {
      ended.resolve();
    }
  };
  const stream = bootedVerb('odd', 'odd do', declare('stream'), endless, createBehalf()).run({}, call);
  assert.ok(Symbol.asyncIterator in stream);
  for await (const _ of stream as AsyncIterable<unknown>) break;
  await ended.promise;
});

test('a plugin’s code runs on its behalf, the body of its stream too', async () => {
  const behalf = createBehalf();
  const seen: unknown[] = [];
  const see = () => seen.push(behalf.current());
  await bootedVerb('odd', 'odd do', declare('item'), async () => ({ number: see() }), behalf).run({}, call);
  const stream = bootedVerb(
    'odd',
    'odd do',
    declare('stream'),
    async function* () {
      yield { number: see() };
      yield { number: see() };
    },
    behalf,
  );
  for await (const _ of stream.run({}, call) as AsyncIterable<unknown>) assert.is(behalf.current(), undefined);
  assert.equal(seen, ['odd', 'odd', 'odd']);
});

test.run();
