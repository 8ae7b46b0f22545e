import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Session, session } from './session.ts';

let shell: Session;
test.before(async () => {
  shell = await session();
});
test.after(async () => {
  await shell[Symbol.asyncDispose]();
});

const called = async (typed: string) => (await shell.type(typed)).asked.at(-1);

test("a plugin's verb is called with what was typed, by the names and types it declares", async () => {
  const typed =
    'hello greet world --loud --keep-free 1G --after 2s --since 2026-01-31T18:30:00Z --times 3 --tone warm --tag a --tag 2';
  assert.equal(await called(typed), {
    method: 'PluginService/Call',
    request: {
      words: 'hello greet',
      input: {
        who: 'world',
        loud: true,
        keepFree: '1073741824',
        after: 2000,
        since: '2026-01-31T18:30:00.000Z',
        times: 3,
        tone: 'warm',
        tag: ['a', '2'],
      },
    },
  });
});

test('what is not given is not sent', async () => {
  assert.equal(await called('hello greet 007'), {
    method: 'PluginService/Call',
    request: { words: 'hello greet', input: { who: '007' } },
  });
});

test('its result is shown by the types it declares', async () => {
  const { out } = await shell.type('hello greet world');
  assert.equal(out.split('\n'), [
    'words:      Hello, world',
    'kept free:  1 GiB',
    'at:         2026-11-20 18:14:05Z',
    'took:       1.5 s',
    'is loud:    yes',
    '',
  ]);
});

test('--json is the answer as the daemon gave it', async () => {
  const { out } = await shell.type('hello greet world --json');
  assert.equal(JSON.parse(out), {
    results: [{ words: 'Hello, world', keptFree: '1073741824', at: '2026-11-20T18:14:05Z', took: 1500, isLoud: true }],
  });
});

test('a stream is a table that grows, and under --json a line each', async () => {
  assert.is((await shell.type('hello watch door')).out, 'WHO\nann\nbob\n');
  assert.is((await shell.type('hello watch door --json')).out, '{"result":{"who":"ann"}}\n{"result":{"who":"bob"}}\n');
});

test('a verb that gives nothing prints nothing', async () => {
  assert.equal(await called('hello forget ann bob'), {
    method: 'PluginService/Call',
    request: { words: 'hello forget', input: { names: ['ann', 'bob'] } },
  });
  assert.is((await shell.type('hello forget ann')).out, '');
});

for (const [typed, sentence] of [
  ['hello greet', 'sltv hello greet needs WHO'],
  ['hello greet a b', "sltv hello greet has no use for 'b'"],
  ['hello greet a --lout', 'sltv hello greet has no option --lout'],
  ['hello greet a --tone hot', "'hot' is not one of warm, cold"],
  ['hello greet a --times x', "'x' is not a number for --times"],
  ['hello forget', 'sltv hello forget needs NAMES'],
] as const) {
  test(`sltv ${typed} is refused before the daemon is called`, async () => {
    const { err, code, asked } = await shell.type(typed);
    assert.match(err, sentence);
    assert.is(code, 2);
    assert.equal(
      asked.map(({ method }) => method),
      ['PluginService/List'],
    );
  });
}

test('types of a newer daemon are taken for text', async () => {
  await using own = await session();
  const field = { about: 'x', optional: false, list: false, choices: [] };
  const verb = {
    words: 'new thing',
    about: 'x',
    example: 'sltv new thing',
    role: 'owner',
    gives: 'tree',
    args: [],
    options: [],
    result: [{ ...field, name: 'colour', type: 'colour' }],
  };
  own.daemon.answer('PluginService/List', { message: { plugins: [{ name: 'new', verbs: [verb] }] } });
  own.daemon.answer('PluginService/Call', { message: { results: [{ colour: { red: 255 } }] } });
  assert.is((await own.type('new thing')).out, 'colour:  {"red":255}\n');
});

test.run();
