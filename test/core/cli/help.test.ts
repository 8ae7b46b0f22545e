import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aliases, allCommands } from '../../../core/cli/nouns.ts';
import { type Session, session } from './session.ts';

let shell: Session;
test.before(async () => {
  shell = await session();
});
test.after(async () => {
  await shell[Symbol.asyncDispose]();
});

const helped = async (typed: string) => {
  const { code, out, err } = await shell.type(typed);
  assert.is(err, '', typed);
  assert.is(code, 0, typed);
  return out;
};

test('sltv, sltv help and sltv --help list every verb', async () => {
  const all = await helped('');
  for (const words of Object.keys(await allCommands())) assert.ok(all.includes(`\n  ${words} `), words);
  assert.is(await helped('help'), all);
  assert.is(await helped('--help'), all);
  assert.is(await helped('help help'), all);
});

test('a verb is explained with usage, arguments, options and an example, however it is asked', async () => {
  const page = await helped('help disk create');
  assert.is(
    page,
    `sltv disk create: make a disk

Usage:
  sltv disk create NAME [--size SIZE] [--thin] [--thick] [--virtual-size SIZE] [--pool POOL]

Arguments:
  NAME  its name, of letters, digits and . _ -

Options:
  --size SIZE          thick: its size; thin: the first physical size (default: as configured, else 10G)
  --thin               take up space only as the guest writes; needs --virtual-size; also --thin-prov
  --thick              take up all of its space at once (the default)
  --virtual-size SIZE  thin: what the guest sees
  --pool POOL          where it goes (default: the configured pool); also --vg

Example:
  sltv disk create web1 --thin --virtual-size 40G

Needs the role operator. Everywhere: --addr, --timeout, --json, --config, --tls-cert, --tls-key, --tls-ca, --tls-server-name, --help, --version (see sltv help).
`,
  );
  for (const typed of [
    'disk create --help',
    'disk create -h',
    '--help disk create',
    'disk --help create',
    'disk create a --help --size',
  ]) {
    assert.is(await helped(typed), page, typed);
  }
});

test('a noun alone lists its verbs: asked for with 0, else as an error with 2', async () => {
  const page = await helped('help disk');
  assert.match(page, '  sltv disk extend NAME [--size SIZE] [--delta SIZE]\n      grow the physical size');
  assert.is(await helped('disk --help'), page);
  assert.is(await helped('disk help'), page);
  const { code, out, err } = await shell.type('disk');
  assert.equal([code, out, err], [2, '', page]);
});

test('an old spelling is explained as it is typed', async () => {
  for (const [alias, words] of Object.entries(aliases)) {
    const page = await helped(`help ${alias}`);
    assert.is(page.replaceAll(`sltv ${alias}`, `sltv ${words}`), await helped(`help ${words}`));
  }
});

test("a plugin's verb is explained from what the daemon tells of it", async () => {
  assert.is(
    await helped('help hello greet'),
    `sltv hello greet: greet somebody

Usage:
  sltv hello greet WHO [--loud] [--keep-free SIZE] [--after DURATION] [--since TIME] [--times N] [--tone warm|cold] [--tag TAG…]

Arguments:
  WHO  whom

Options:
  --loud            shout
  --keep-free SIZE  how much
  --after DURATION  how soon
  --since TIME      from when
  --times N         how often
  --tone warm|cold  how
  --tag TAG         any number

Example:
  sltv hello greet world --loud

Needs the role viewer. Everywhere: --addr, --timeout, --json, --config, --tls-cert, --tls-key, --tls-ca, --tls-server-name, --help, --version (see sltv help).
`,
  );
  assert.match(await helped('hello --help'), '  sltv hello forget NAMES…\n      forget names');
});

test('help for core asks no daemon', async () => {
  for (const typed of ['', 'help', 'help disk', 'disk create --help', 'help list-disks', '--version', 'version']) {
    assert.equal((await shell.type(typed)).asked, [], typed);
  }
});

test('every example is a line that its verb understands', async () => {
  for (const [words, { verb }] of Object.entries(await allCommands())) {
    const [typed = ''] = verb.example.split(' < ');
    assert.ok(typed.startsWith(`sltv ${words}`), typed);
    const { err } = await shell.type(typed.slice('sltv '.length));
    assert.not.match(err, '[core/input]');
    assert.not.match(err, '[core/unknown-verb]');
  }
});

test.run();
