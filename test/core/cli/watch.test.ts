// `--watch`: no time passes here; the test says when a pause is over.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { World } from '../../../core/cli/index.ts';
import { allCommands } from '../../../core/cli/nouns.ts';
import { db } from './answers.ts';
import { type Session, session } from './session.ts';

const HEADINGS = 'NAME  POOL     MODE      SIZE  VIRTUAL SIZE  STATE  VM  TARGET';
const DB = 'db    vg-fast  thick  1.5 GiB       1.5 GiB  ready  -   -';

/** A world whose pauses are these: each is told how long it should be, and what it returns is awaited. */
function pausing(...pauses: readonly ((stop: () => void) => unknown)[]) {
  const controller = new AbortController();
  const lengths: number[] = [];
  const world: Partial<World> = {
    signal: controller.signal,
    async pause(milliseconds, signal) {
      lengths.push(milliseconds);
      await pauses[lengths.length - 1]?.(() => controller.abort());
      signal.throwIfAborted();
    },
  };
  return { world, lengths };
}

async function withShell(work: (shell: Session) => Promise<void>): Promise<void> {
  await using shell = await session();
  shell.daemon.answer('Sltv/ListDisks', { message: { disks: [db] } });
  await work(shell);
}

const none = (shell: Session) => () => shell.daemon.answer('Sltv/ListDisks', { message: { disks: [] } });
const ctrlC = (stop: () => void) => stop();

test('a list is asked for again after two seconds, until Ctrl-C, which is no error', () =>
  withShell(async (shell) => {
    const { world, lengths } = pausing(none(shell), ctrlC);
    const { code, out, err, asked } = await shell.type('disk list --watch --pool p', world);
    assert.equal([code, err], [0, '']);
    assert.equal(lengths, [2000, 2000]);
    assert.equal(asked, [
      { method: 'Sltv/ListDisks', request: { vg: 'p' } },
      { method: 'Sltv/ListDisks', request: { vg: 'p' } },
    ]);
    const nothing = 'NAME  POOL  MODE  SIZE  VIRTUAL SIZE  STATE  VM  TARGET';
    assert.equal(out.split('\n'), [HEADINGS, DB, '', nothing, '']);
  }));

test('on a terminal each table takes the place of the one before, also the first', () =>
  withShell(async (shell) => {
    const { world } = pausing(() => {}, ctrlC);
    const env = { SLTV_ADDR: shell.daemon.addr, NO_COLOR: '1' };
    const { out } = await shell.type('disk list --watch', { ...world, env, isTTY: true });
    const table = `\x1b[H\x1b[2J${HEADINGS}\n${DB}\n`;
    assert.is(out, table + table);
    const dumb = { ...pausing(() => {}, ctrlC).world, env: { ...env, TERM: 'dumb' }, isTTY: true };
    assert.not.match((await shell.type('disk list --watch', dumb)).out, '\x1b');
  }));

test('with --json each round is one line, also on a terminal', () =>
  withShell(async (shell) => {
    const { world } = pausing(none(shell), ctrlC);
    const { out } = await shell.type('disk list --watch --json', { ...world, isTTY: true });
    const rounds = out.trimEnd().split('\n');
    assert.equal(
      rounds.map((line) => JSON.parse(line)),
      [{ disks: [db] }, { disks: [] }],
    );
  }));

test('an error ends it with its own exit code', () =>
  withShell(async (shell) => {
    const refuse = () =>
      shell.daemon.answer('Sltv/ListDisks', {
        refusal: { code: 'not_found', message: 'there is no pool p', info: ['core/pool-missing', 'look'] },
      });
    const { world } = pausing(refuse);
    const { code, out, err } = await shell.type('disk list --watch', world);
    assert.is(code, 3);
    assert.match(out, DB);
    assert.match(err, /^sltv: there is no pool p\n/);
  }));

test('Ctrl-C while an answer is waited for ends it, too', () =>
  withShell(async (shell) => {
    const controller = new AbortController();
    const silent = () => {
      shell.daemon.answer('Sltv/ListDisks', { silence: true });
      void shell.daemon.next().then(() => controller.abort());
    };
    const { world } = pausing(silent);
    const { code, err } = await shell.type('disk list --watch', { ...world, signal: controller.signal });
    assert.equal([code, err], [0, '']);
  }));

test('without --watch a list is asked for once, and printed as ever', () =>
  withShell(async (shell) => {
    const { out, asked } = await shell.type('disk list --json');
    assert.is(asked.length, 1);
    assert.is(out, `${JSON.stringify({ disks: [db] }, undefined, 2)}\n`);
  }));

test('every verb of ours that only reads and gives a list can be watched, and no other', async () => {
  for (const [words, { verb }] of Object.entries(await allCommands())) {
    assert.is('watch' in verb.options, verb.gives === 'list' && verb.role === 'viewer', words);
  }
  await withShell(async (shell) => {
    assert.match((await shell.type('help disk list')).out, '  --watch      show it again every 2 s, until Ctrl-C\n');
    const { err, code } = await shell.type('disk show db --watch');
    assert.match(err, 'sltv disk show has no option --watch');
    assert.is(code, 2);
  });
});

const field = { about: 'x', optional: false, list: false, choices: [] };
const plugin = (options: readonly object[]) => ({
  name: 'hello',
  verbs: [
    {
      words: 'hello names',
      about: 'x',
      example: 'sltv hello names',
      role: 'viewer',
      gives: 'list',
      args: [],
      options,
      result: [{ ...field, name: 'who', type: 'text' }],
    },
  ],
});

test("a plugin's list can be watched, and the plugin is not told of it", () =>
  withShell(async (shell) => {
    shell.daemon.answer('PluginService/List', { message: { plugins: [plugin([])] } });
    shell.daemon.answer('PluginService/Call', { message: { results: [{ who: 'ann' }] } });
    const { world } = pausing(() => {}, ctrlC);
    const { out, asked } = await shell.type('hello names --watch', world);
    assert.is(out, 'WHO\nann\n\nWHO\nann\n');
    assert.equal(asked.at(-1), { method: 'PluginService/Call', request: { words: 'hello names', input: {} } });
  }));

test('an option of that name that a plugin has is the plugin’s', () =>
  withShell(async (shell) => {
    const own = { ...field, name: 'watch', type: 'text', optional: true };
    shell.daemon.answer('PluginService/List', { message: { plugins: [plugin([own])] } });
    shell.daemon.answer('PluginService/Call', { message: { results: [] } });
    const { asked } = await shell.type('hello names --watch door');
    assert.equal(asked.at(-1)?.request, { words: 'hello names', input: { watch: 'door' } });
  }));

test('a reader that has gone ends it', () =>
  withShell(async (shell) => {
    const stdout = {
      fail: (_: Error) => {},
      write: () => true,
      on(_: 'error', listener: (error: Error) => void) {
        stdout.fail = listener;
      },
    };
    const { world } = pausing(() => stdout.fail(Object.assign(new Error('broken pipe'), { code: 'EPIPE' })));
    const { code, err } = await shell.type('disk list --watch', { ...world, stdout });
    assert.equal([code, err], [0, '']);
  }));

test.run();
