// The examples of docs/api.md, run as they stand there against the executable's daemon.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { ownDaemon } from '../fixtures/executable.ts';

/** The one that has Debian's packages, whatever else is on the path. */
const DEBIAN_PYTHON = '/usr/bin/python3';
const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');

/** The indented blocks below a heading. */
function blocks(heading: string): readonly string[] {
  const section = PAGE.split(/^#{2,3} /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/(?:^(?: {4}.*)?\n)+/gm)]
    .map(([block]) => block.replace(/^ {4}/gm, '').trim())
    .filter((block) => block !== '');
}

const life = new AsyncDisposableStack();
let socket: string;
/** Where what an example makes is put. */
let folder: string;

test.before(async () => {
  const { path } = life.use(await trustedFolder());
  mkdirSync(join(path, 'disks'));
  life.use(await ownDaemon(path, `dir({ pools: { here: '${path}/disks' } })`));
  socket = join(path, 'socket');
  folder = mkdtempSync(join(tmpdir(), 'sltv-examples-'));
  life.defer(() => rmSync(folder, { recursive: true }));
});
test.after(() => life.disposeAsync());

/** Runs it in a shell, with this test's daemon in place of the host's. */
async function shell(script: string | undefined): Promise<string> {
  const line = here(script).replaceAll('core/api', join(ROOT, 'core/api'));
  const options = { cwd: folder, preferLocal: true, localDir: ROOT, timeout: 30_000 };
  return (await execa('/bin/sh', ['-c', line], options)).stdout;
}

function here(script = ''): string {
  assert.ok(script.length > 0, 'the example stands on the page');
  return script.replaceAll('/run/sltv/sltvd.sock', socket);
}

test('curl makes a disk', async () => {
  const [example] = blocks('curl');
  const made = JSON.parse(await shell(example));
  assert.equal([made.name, made.mode, made.state], ['curl01', 'PROVISION_MODE_THIN', 'ready']);
});

test('buf curl grows it, with nothing but what the daemon tells of itself', async () => {
  const [example] = blocks('buf curl');
  assert.is(JSON.parse(await shell(example)).sizeBytes, String(2 * 2 ** 20));
});

test('Python makes a disk and reads an error', async () => {
  const [generate, program] = blocks('Python');
  await shell(generate?.replace('python3', DEBIAN_PYTHON));
  writeFileSync(join(folder, 'example.py'), here(program));
  const { stdout } = await execa(DEBIAN_PYTHON, ['example.py'], { cwd: folder, timeout: 30_000 });
  const [made, failed] = stdout.split('\n');
  assert.match(made ?? '', /^here python01 8388608 \/.*\/disks\/python01$/);
  assert.is(failed, 'NOT_FOUND there is no disk none');
});

test('curl asks after its health', async () => {
  const [example] = blocks('Health and reflection');
  assert.equal(JSON.parse(await shell(example)), { status: 'SERVING' });
});

test('the client in TypeScript does what it says', async () => {
  const [example] = blocks('In TypeScript');
  const file = join(ROOT, '.cache', `shown-client-${process.pid}.ts`);
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  // The daemon of this test has no plugin autoextend; its plugins are called all the same.
  writeFileSync(file, here(example).replace(`plugins.call('autoextend status', {})`, 'plugins.list()'));
  try {
    const { stdout } = await execa(process.execPath, [file], { cwd: ROOT, timeout: 30_000 });
    assert.match(stdout, /\/disks\/web01/);
  } finally {
    rmSync(file);
  }
});

test.run();
