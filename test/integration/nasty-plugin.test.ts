// A plugin that does everything wrong, in a daemon as it is deployed: it harms itself alone, by its name, and the next caller is
// served.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { EXECUTABLE, type Started, startDaemon, type, within } from '../fixtures/executable.ts';
import { judge, type Mistake } from '../fixtures/mistake.ts';

const NASTY = `
import { CreateDisk, DiskCreated, DiskFacts, definePlugin } from 'sltv';

const answers = {
  'nasty throw': ['item', () => { throw new TypeError('the moon is not there'); }],
  'nasty reject': ['item', async () => { throw undefined; }],
  'nasty hang': ['item', () => new Promise(() => {})],
  'nasty wrong': ['item', async () => ({ size: 'large' })],
  'nasty missing': ['item', async () => ({})],
  'nasty unknown': ['item', async () => ({ size: 1n, colour: 'red' })],
  'nasty circle': ['item', async () => { const size = {}; size.size = size; return { size }; }],
  'nasty single': ['list', async () => ({ size: 1n })],
  'nasty still': ['stream', async () => 5],
  'nasty flow': ['stream', async function* () { yield { size: 1n }; yield { size: 'x' }; }],
  'nasty stall': ['stream', async function* () { yield { size: 1n }; await new Promise(() => {}); }],
  'nasty timer': ['nothing', async () => void setTimeout(() => { throw new Error('a timer threw'); }, 1)],
  'nasty leak': ['nothing', async () => void Promise.reject(new Error('a promise was dropped'))],
};
const verbOf = (words, gives) => ({
  about: 'do something nasty', example: 'sltv ' + words, role: 'viewer', args: {}, options: {}, gives,
  result: { size: { type: 'size', about: 'bytes' } },
});

export default definePlugin({
  name: 'nasty', api: 1, provides: { facts: DiskFacts },
  verbs: Object.fromEntries(Object.entries(answers).map(([words, [gives]]) => [words, verbOf(words, gives)])),
  setup({ on, before, defer }) {
    on(DiskCreated, () => { throw new Error('it saw nothing'); });
    on(DiskCreated, () => new Promise(() => {}));
    before(CreateDisk, ({ disk }) => {
      if (disk === 'slow') return new Promise(() => {});
      if (disk === 'odd') return true;
      if (disk === 'bad') throw new Error('it lost its mind');
    });
    defer(() => new Promise(() => {}));
    setTimeout(() => { throw new Error('a timer of its setup threw'); }, 1);
    // Core asks, on behalf of nobody.
    const facts = { fields: {}, of() { setTimeout(() => { throw new Error('a provider threw'); }, 1); } };
    return { provides: { facts }, verbs: Object.fromEntries(Object.entries(answers).map(([words, [, answer]]) => [words, answer])) };
  },
})();
`;

interface Nasty extends AsyncDisposable {
  readonly daemon: Started;
  readonly env: { readonly SLTV_ADDR: string };
}

async function startNasty(): Promise<Nasty> {
  await using undo = new AsyncDisposableStack();
  const { path } = undo.use(await trustedFolder());
  writeFileSync(join(path, 'nasty.mjs'), NASTY);
  const config = join(path, 'sltv.config.mjs');
  writeFileSync(
    config,
    `import dir from 'sltv/dir'; import nasty from './nasty.mjs';
     export default { ${within(path)}, reserve: 0, plugins: [dir(), nasty] };`,
  );
  const daemon = undo.use(await startDaemon([EXECUTABLE], config));
  const taken = undo.move();
  return {
    daemon,
    env: { SLTV_ADDR: `unix://${path}/socket` },
    [Symbol.asyncDispose]: async () => await taken[Symbol.asyncDispose](),
  };
}

let nasty: Nasty;
test.before(async () => {
  nasty = await startNasty();
});
test.after(async () => await nasty?.[Symbol.asyncDispose]());

async function served(): Promise<void> {
  const { code, stderr } = await type('sltv disk list', nasty.env);
  assert.is(code, 0, stderr);
}

/** The log's lines of an error or a warning that say this. */
const logged = (text: string) =>
  nasty.daemon
    .log()
    .split('\n')
    .map((line): { level: string; message: string; plugin?: string; error?: unknown } => JSON.parse(line))
    .filter((line) => JSON.stringify(line).includes(text));

const failed = { kind: 'internal', code: 'core/plugin-failed', hint: 'journalctl -u sltv' } as const;
const undeclared = (words: string) => `plugin nasty answered '${words}' otherwise than it declares: `;
const MISTAKES: readonly Mistake[] = [
  { ...failed, typed: 'sltv nasty throw', says: "plugin nasty failed at 'nasty throw': the moon is not there" },
  { ...failed, typed: 'sltv nasty reject', says: "plugin nasty failed at 'nasty reject': undefined" },
  {
    ...failed,
    typed: 'sltv nasty wrong',
    says: `${undeclared('nasty wrong')}size should be a size (a bigint of bytes), not "large"`,
  },
  { ...failed, typed: 'sltv nasty missing', says: `${undeclared('nasty missing')}size is missing` },
  { ...failed, typed: 'sltv nasty unknown', says: `${undeclared('nasty unknown')}colour is no field of its result` },
  { ...failed, typed: 'sltv nasty circle', says: `${undeclared('nasty circle')}size should be a size` },
  { ...failed, typed: 'sltv nasty single', says: `${undeclared('nasty single')}expected a list` },
  { ...failed, typed: 'sltv nasty still', says: "plugin nasty answered 'nasty still' with 5, not with a stream" },
  {
    typed: 'sltv nasty hang --timeout 1s',
    kind: 'timeout',
    code: 'core/timeout',
    says: /deadline|did not answer/,
    hint: '--timeout',
  },
  {
    typed: 'sltv disk create slow --size 1M',
    kind: 'refused',
    code: 'core/gate-refused',
    says: 'plugin nasty refuses disk.create: it gave no answer within 5 s',
    hint: 'journalctl -u sltv',
  },
  {
    typed: 'sltv disk create odd --size 1M',
    kind: 'refused',
    code: 'core/gate-refused',
    says: 'plugin nasty refuses disk.create: it answered true, which is no refusal',
    hint: 'journalctl -u sltv',
  },
  {
    typed: 'sltv disk create bad --size 1M',
    kind: 'refused',
    code: 'core/gate-refused',
    says: 'plugin nasty refuses disk.create: it failed: it lost its mind',
    hint: 'journalctl -u sltv',
  },
  {
    typed: 'sltv nasty thorw',
    kind: 'invalid',
    code: 'core/unknown-verb',
    says: "sltv nasty has no verb 'thorw'",
    hint: 'did you mean sltv nasty throw?',
  },
];

for (const mistake of MISTAKES) {
  test(`${mistake.typed}: ${mistake.says}`, async () => {
    judge(mistake, await type(mistake.typed, nasty.env));
    await served();
  });
}

test('what a stream gave before it went wrong was shown', async () => {
  const { code, stdout, stderr } = await type('sltv nasty flow', nasty.env);
  assert.match(stdout, /SIZE\n +1 B/);
  assert.match(stderr, `${undeclared('nasty flow')}size should be a size`);
  assert.is(code, 1);
  await served();
});

test('a stream that stalls ends with its caller', async () => {
  const { stdout, code } = await type('timeout -s INT 2 sltv nasty stall; echo "ended with $?"', nasty.env);
  assert.match(stdout, /SIZE\n +1 B\n/);
  assert.is(code, 0);
  await served();
});

test('an observer that fails, or never ends, keeps no disk from being made, and is named in the log', async () => {
  const { code, stderr } = await type('sltv disk create good --size 1M', nasty.env);
  assert.is(code, 0, stderr);
  assert.is(logged('it saw nothing')[0]?.message, 'plugin nasty failed to observe disk.created');
});

for (const [typed, said, what] of [
  ['sltv nasty timer', 'a timer threw', 'an error was thrown where nobody catches it'],
  ['sltv nasty leak', 'a promise was dropped', 'a failure was left unhandled'],
] as const) {
  test(`${typed}: ${said}, its plugin is named in the log, and the daemon goes on`, async () => {
    assert.is((await type(typed, nasty.env)).code, 0);
    await served();
    const [line] = logged(said);
    assert.is(line?.message, `plugin nasty: ${what}`);
    assert.is(line?.plugin, 'nasty');
  });
}

test('a timer of its setup that threw did not keep the daemon from becoming ready', () => {
  assert.is(logged('a timer of its setup threw')[0]?.plugin, 'nasty');
});

test('a provider whose timer throws is known by its file, and the daemon goes on', async () => {
  await type('sltv disk create seen --size 1M', nasty.env);
  assert.is((await type('sltv disk show seen', nasty.env)).code, 0);
  await served();
  assert.match(logged('a provider threw')[0]?.message ?? '', /^code of file:.*nasty.mjs: an error was thrown/);
});

test('what failed stands in the log with the plugin’s own error', async () => {
  await type('sltv nasty throw', nasty.env);
  assert.match(JSON.stringify(logged('the moon is not there')), 'nasty.mjs');
});

test('with the daemon down its verbs are not known, and the answer says what they need', async () => {
  const typed = 'sltv nasty throw --addr unix:///nowhere/sltvd.sock';
  judge(
    {
      typed,
      kind: 'invalid',
      code: 'core/unknown-verb',
      says: "sltv itself has no 'nasty', and the verbs of plugins need the daemon: no daemon answers",
      hint: "for a plugin's verb start the daemon",
    },
    await type(typed),
  );
});

test('its help comes from what it declares', async () => {
  const { stdout } = await type('sltv help nasty flow', nasty.env);
  assert.match(stdout, 'sltv nasty flow');
  assert.match(stdout, /do something nasty/i);
});

test('the daemon stops in time, though the plugin does not let go, and names it', async () => {
  await using own = await startNasty();
  const begun = performance.now();
  assert.is(await own.daemon.stop(), 0);
  assert.ok(performance.now() - begun < 5_000);
  assert.match(own.daemon.log(), 'plugin nasty has not let go yet');
});

test('a setup that throws keeps the daemon from starting, and is named', async () => {
  await using folder = await trustedFolder();
  const config = join(folder.path, 'sltv.config.mjs');
  writeFileSync(
    config,
    `import { definePlugin } from 'sltv'; import dir from 'sltv/dir';
     const broken = definePlugin({ name: 'broken', api: 1, setup() { throw new Error('no moon'); } })();
     export default { ${within(folder.path)}, plugins: [dir(), broken] };`,
  );
  const { code, stderr } = await type(`sltv daemon --config ${config}`);
  assert.is(code, 1);
  assert.match(stderr, 'sltv: plugin broken could not start: no moon');
});

test.run();
