import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coreErrors, errors, SltvError } from '../../../core/errors.ts';
import { createBehalf } from '../../../core/kernel/behalf.ts';
import { createBus } from '../../../core/kernel/bus.ts';
import { event, gate, many, one } from '../../../core/kernel/capability.ts';
import { definePlugin } from '../../../core/kernel/plugin.ts';
import { verb } from '../../../core/kernel/verb.ts';
import { createLog } from '../../../core/log.ts';
import { bootPlugins, keptLog, node, settled } from './kit.ts';

const Storage = many<{ kind: string }>('storage');
const Locks = one<{ domain: string }>('locks');
const Happened = event<string>('happened');
const Gate = gate<string>('a.gate');

/** Plugins that write down what is done to them. */
function diary() {
  const pages: string[] = [];
  const storage = (name: string) =>
    definePlugin({
      name,
      api: 1,
      accepts: { locks: Locks },
      provides: { storage: Storage },
      setup({ use, defer }) {
        pages.push(`${name} up with ${use.locks?.domain}`);
        defer(() => void pages.push(`${name} down`));
        return { provides: { storage: { kind: name } } };
      },
    })();
  const locks = definePlugin({
    name: 'locks',
    api: 1,
    provides: { locks: Locks },
    setup({ defer }) {
      pages.push('locks up');
      defer(async () => void pages.push('locks down'));
      return { provides: { locks: { domain: 'here' } } };
    },
  })();
  return { pages, storage, locks };
}

async function failure(work: Promise<unknown>): Promise<SltvError> {
  const error = await work.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SltvError);
  return error as SltvError;
}

test('plugins are set up in the order of their capabilities and undone in reverse', async () => {
  const { pages, storage, locks } = diary();
  const booted = await bootPlugins([storage('lvm'), storage('dir'), locks]);
  assert.equal(pages, ['locks up', 'lvm up with here', 'dir up with here']);
  await booted.stop();
  assert.equal(pages.slice(3), ['dir down', 'lvm down', 'locks down']);
});

test('stopping twice undoes once', async () => {
  const { pages, locks } = diary();
  const booted = await bootPlugins([locks]);
  await Promise.all([booted.stop(), booted.stop()]);
  await booted.stop();
  assert.equal(pages, ['locks up', 'locks down']);
});

test('a setup that fails half-way is undone with everything before it', async () => {
  const { pages, locks } = diary();
  const broken = definePlugin({
    name: 'broken',
    api: 1,
    requires: { locks: Locks },
    setup({ defer }) {
      defer(() => void pages.push('broken half undone'));
      throw coreErrors('no-tool', 'there is no lvm', { hint: 'apt install lvm2' });
    },
  })();
  const error = await failure(bootPlugins([broken, locks]));
  assert.equal(pages, ['locks up', 'broken half undone', 'locks down']);
  assert.is(error.message, 'plugin broken could not start: there is no lvm');
  assert.is(error.code, 'core/no-tool');
  assert.is(error.hint, 'apt install lvm2');
});

test('an undo that fails is logged and stops no other', async () => {
  const { pages, locks } = diary();
  const { log, lines } = keptLog();
  const stubborn = definePlugin({
    name: 'stubborn',
    api: 1,
    requires: { locks: Locks },
    setup({ defer }) {
      defer(() => {
        throw new Error('no');
      });
    },
  })();
  const booted = await bootPlugins([locks, stubborn], { log });
  await booted.stop();
  assert.equal(pages, ['locks up', 'locks down']);
  assert.is(lines[0]?.message, 'plugin stubborn could not undo what it had set up');
});

test('an undo that takes long is named while it lasts, and what it may still use waits for it', async () => {
  const { pages, locks } = diary();
  const told = Promise.withResolvers<string>();
  const log = createLog({ level: 'warn', format: 'json', write: (line) => told.resolve(JSON.parse(line).message) });
  const slow = definePlugin({
    name: 'slow',
    api: 1,
    requires: { locks: Locks },
    setup({ defer }) {
      defer(async () => void pages.push(await told.promise));
    },
  })();
  await (await bootPlugins([locks, slow], { log, patience: { setup: 60_000, undo: 5 } })).stop();
  assert.equal(pages, ['locks up', 'plugin slow has not let go yet: what it may still use waits for it', 'locks down']);
});

test('a setup that takes long is named while it lasts', async () => {
  const told = Promise.withResolvers<string>();
  const log = createLog({ level: 'warn', format: 'json', write: (line) => told.resolve(JSON.parse(line).message) });
  const slow = definePlugin({
    name: 'slow',
    api: 1,
    setup: async () => void (await told.promise),
  })();
  await bootPlugins([slow], { log, patience: { setup: 5, undo: 60_000 } });
  assert.is(await told.promise, 'plugin slow is still being set up: the daemon waits for it');
});

test('all code of a plugin runs on its behalf', async () => {
  const behalf = createBehalf();
  const bus = createBus(keptLog().log);
  const seen: unknown[] = [];
  const see = () => void seen.push(behalf.current());
  const observed = Promise.withResolvers<void>();
  const odd = definePlugin({
    name: 'odd',
    api: 1,
    async setup({ on, before, defer }) {
      await new Promise(setImmediate);
      see();
      on(Happened, () => {
        see();
        observed.resolve();
      });
      before(Gate, () => {
        see();
        return undefined;
      });
      defer(see);
    },
  })();
  const booted = await bootPlugins([odd], { bus, behalf });
  booted.emit(Happened, 'something');
  await observed.promise;
  await bus.ask(Gate, 'this', new AbortController().signal);
  await booted.stop();
  assert.equal(seen, ['odd', 'odd', 'odd', 'odd']);
  assert.is(behalf.current(), undefined);
});

test('a plugin’s signal fires when the stop begins', async () => {
  let heard = false;
  const listener = definePlugin({
    name: 'listener',
    api: 1,
    setup({ signal, defer }) {
      defer(() => {
        heard = signal.aborted;
      });
    },
  })();
  await (await bootPlugins([listener])).stop();
  assert.ok(heard);
});

test('a boot that is given up is undone', async () => {
  const { pages, locks } = diary();
  const gone = new AbortController();
  const slow = definePlugin({
    name: 'slow',
    api: 1,
    requires: { locks: Locks },
    setup({ signal }) {
      gone.abort(coreErrors('cancelled', 'told to stop'));
      signal.throwIfAborted();
    },
  })();
  const error = await failure(bootPlugins([locks, slow], { signal: gone.signal }));
  assert.is(error.code, 'core/cancelled');
  assert.equal(pages, ['locks up', 'locks down']);
});

test('capabilities are handed out by kind, in the order of the config', async () => {
  const { storage, locks } = diary();
  const booted = await bootPlugins([storage('lvm'), locks, storage('dir')]);
  assert.is(booted.provided(Locks)?.domain, 'here');
  assert.equal(booted.all(Storage), [{ kind: 'lvm' }, { kind: 'dir' }]);
  assert.is(booted.provided(one<string>('cluster')), undefined);
  assert.equal(booted.all(many<string>('hooks')), []);
});

test('what is accepted may be missing, and of many there may be none', async () => {
  const seen: unknown[] = [];
  const user = definePlugin({
    name: 'user',
    api: 1,
    accepts: { locks: Locks, storage: Storage },
    setup({ use }) {
      seen.push(use.locks, use.storage);
    },
  })();
  await bootPlugins([user]);
  assert.equal(seen, [undefined, []]);
});

test('a restricted boot leaves every other plugin down', async () => {
  const { pages, storage, locks } = diary();
  const other = definePlugin({ name: 'other', api: 1, setup: () => void pages.push('other up') })();
  const booted = await bootPlugins([other, storage('lvm'), locks], { only: [Storage] });
  assert.equal(pages, ['lvm up with undefined']);
  assert.equal(booted.all(Storage), [{ kind: 'lvm' }]);
  await booted.stop();
});

test('a plugin hears events and asks gates with its own name', async () => {
  const { log, lines } = keptLog();
  const bus = createBus(log);
  const seen = Promise.withResolvers<string>();
  const watcher = definePlugin({
    name: 'watcher',
    api: 1,
    setup({ on, before, log }) {
      on(Happened, (what) => seen.resolve(what));
      before(Gate, (what) => ({ reason: `not ${what}` }));
      log.info('hello');
    },
  })();
  const asker = definePlugin({
    name: 'asker',
    api: 1,
    async setup({ ask, emit }) {
      emit(Happened, 'something');
      await ask(Gate, 'this', new AbortController().signal);
    },
  })();
  const error = await failure(bootPlugins([watcher, asker], { bus, log }));
  assert.is(await seen.promise, 'something');
  assert.is(error.message, 'plugin asker could not start: plugin watcher refuses a.gate: not this');
  assert.is(lines[0]?.plugin, 'watcher');
});

test('what does not fit together is not booted', async () => {
  const { locks } = diary();
  const error = await failure(bootPlugins([locks, locks]));
  assert.is(error.code, 'core/config');
  assert.match(error.message, 'plugin locks is listed twice');
});

const greet = verb({
  about: 'greet somebody',
  example: 'hello greet world',
  role: 'viewer',
  args: { name: { type: 'text', about: 'whom' } },
  options: { size: { type: 'size', about: 'how loud', optional: true } },
  gives: 'item',
  result: { said: { type: 'text', about: 'what was said' } },
});
const call = {
  signal: new AbortController().signal,
  caller: { name: 'test', role: 'admin' },
  requestId: 'r1',
} as const;

test('a verb is called with what its input decodes to', async () => {
  const hello = definePlugin({
    name: 'hello',
    api: 1,
    verbs: { 'hello greet': greet },
    setup: () => ({
      verbs: { 'hello greet': async ({ name, size }, { requestId }) => ({ said: `${requestId} ${name} ${size}` }) },
    }),
  })();
  const booted = await bootPlugins([hello]);
  const found = booted.verbs.get('hello greet');
  assert.is(found?.plugin, 'hello');
  assert.equal(await found?.run({ name: 'world', size: '1K' }, call), { said: 'r1 world 1024' });
  assert.throws(() => found?.run({}, call), /hello greet: name is missing/);
});

test('plugins are described by what they declared', async () => {
  const hello = definePlugin({
    name: 'hello',
    version: '2.0.0',
    api: 1,
    errors: errors('hello', { 'too-loud': 'refused' }),
    requires: { locks: Locks },
    verbs: { 'hello greet': greet },
    setup: () => ({ verbs: { 'hello greet': async () => ({ said: '' }) } }),
  })();
  const booted = await bootPlugins([hello, diary().locks]);
  assert.equal(booted.describe().at(-1), {
    name: 'hello',
    version: '2.0.0',
    provides: [],
    requires: ['locks'],
    verbs: { 'hello greet': greet },
    errors: { 'hello/too-loud': 'refused' },
  });
});

for (const [title, definition, message] of [
  [
    'provides nothing of what it declared',
    { provides: { locks: Locks }, setup: () => undefined },
    "plugin odd declares provides 'locks', but its setup did not return it",
  ],
  [
    'provides what it did not declare',
    { setup: () => ({ provides: { locks: {} } }) },
    "plugin odd returned provides 'locks' from its setup without declaring it",
  ],
  [
    'answers a verb that it did not declare',
    { setup: () => ({ verbs: { 'odd x': () => {} } }) },
    "plugin odd returned verbs 'odd x' from its setup without declaring it",
  ],
  [
    'declares a verb and answers it with no function',
    { verbs: { 'odd greet': greet }, setup: () => ({ verbs: { 'odd greet': 5 } }) },
    "plugin odd returned no function for 'odd greet'",
  ],
] as const) {
  test(`a plugin that ${title} is refused`, async () => {
    const odd = { name: 'odd', given: {}, definition: { name: 'odd', api: 1, ...definition } };
    const error = await failure(bootPlugins([odd]));
    assert.is(error.message, message);
    assert.is(error.code, 'core/config');
  });
}

test('a plugin works with the options, node and log of its own', async () => {
  const seen: unknown[] = [];
  const curious = definePlugin({
    name: 'curious',
    api: 1,
    setup: ({ options, node }) => void seen.push(options, node.id),
  });
  const { log } = keptLog();
  await bootPlugins([], { plugins: [settled(curious(), { a: 1 })], log });
  assert.equal(seen, [{ a: 1 }, node.id]);
});

test.run();
