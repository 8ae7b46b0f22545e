// Descriptors that a process inherits are its own from 3 on, so each of these is asked of a process.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { activatedSockets } from '../../../core/api/activation.ts';
import { activating } from '../../fixtures/activating.ts';
import { DENO } from '../../fixtures/executable.ts';

const API = join(import.meta.dirname, '../../../core/api');

const test = suite<{ folder: string }>('sockets of systemd');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'sltv-activation-'));
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

const listener = (unix: string) => ({ unix, mode: 0o660, role: 'admin' as const });

interface Question {
  /** Where what is passed on is. */
  readonly at: string;
  readonly kind?: 'stream' | 'datagram' | 'file';
  /** The listener's path; `at` when not given. */
  readonly wants?: string;
  /** What is done with the descriptor; an expression. */
  readonly does?: string;
  readonly runtime?: readonly string[];
}

/** What a process makes of it: the value, or the error's code, message and hint. */
async function ask({ at, kind, wants = at, does = '[...found]', runtime = [process.execPath] }: Question) {
  const script = `
    const { activatedSockets } = await import('${API}/activation.ts');
    const { takeOver } = await import('${API}/socket.ts');
    const { connect, createServer } = await import('node:net');
    const { unlinkSync } = await import('node:fs');
    const process = (await import('node:process')).default;
    const say = (value) => { process.stdout.write(JSON.stringify(value), () => process.exit()); };
    try {
      const found = activatedSockets(process.env, [${JSON.stringify(listener(wants))}]);
      say(await (async () => ${does})());
    } catch (error) {
      say({ code: error.code, message: error.message, hint: error.hint });
    }`;
  const isDeno = runtime[0] === DENO;
  const words = [
    ...runtime,
    ...(isDeno ? ['eval', '--no-lock', '--ext=mjs'] : ['--input-type=module', '--eval']),
    script,
  ];
  const [program, ...args] = activating(at, words, kind);
  const { stdout } = await promisify(execFile)(program, args, { timeout: 60_000 });
  return JSON.parse(stdout);
}

test('one that a listener of the config wants is found by its path', async ({ folder }) => {
  const at = join(folder, 'a socket');
  assert.equal(await ask({ at }), [[at, 3]]);
});

test('one where the config has no listener is refused: clients would wait there for ever', async ({ folder }) => {
  const at = join(folder, 's');
  const { code, message, hint } = await ask({ at, wants: '/run/sltv/other.sock' });
  assert.is(code, 'core/bad-socket');
  assert.is(message, `systemd listens on ${at} (sltv.socket), where the config has no listener`);
  assert.match(hint, 'let ListenStream= be /run/sltv/other.sock (systemctl edit --full sltv.socket)');
});

for (const kind of ['datagram', 'file'] as const) {
  test(`a ${kind} in the place of a listening socket is refused`, async ({ folder }) => {
    const { code, message, hint } = await ask({ at: join(folder, 's'), kind });
    assert.is(code, 'core/bad-socket');
    assert.is(message, 'systemd passed on something (sltv.socket) that is no listening Unix socket');
    assert.match(hint, 'systemctl edit --full sltv.socket');
  });
}

test('what was passed on to another process is not ours', () => {
  const env = { LISTEN_PID: '1', LISTEN_FDS: '1' };
  assert.is(activatedSockets(env, [listener('/run/sltv/sltvd.sock')]).size, 0);
  assert.is(activatedSockets({}, [listener('/run/sltv/sltvd.sock')]).size, 0);
});

const taking = (path: string) =>
  `takeOver({ path: '${path}', mode: 0o640 }, 3, createServer((socket) => socket.end('us')))`;
/** What who connects to the path reads. */
const reading = (path: string) =>
  `new Promise((resolve, reject) => connect('${path}').on('error', reject).on('data', (data) => resolve(String(data))))`;

for (const [name, runtime] of [
  ['Node', [process.execPath]],
  ['Deno', [DENO]],
] as const) {
  test(`a server under ${name} takes it over and answers who connects`, async ({ folder }) => {
    const at = join(folder, 's');
    assert.is(await ask({ at, runtime, does: `${taking(at)}.then(() => ${reading(at)})` }), 'us');
    assert.is(statSync(at).mode & 0o777, 0o640);
  });
}

test('one whose file is gone is refused, since no client finds it', async ({ folder }) => {
  const at = join(folder, 's');
  const { code, message, hint } = await ask({ at, does: `(unlinkSync('${at}'), ${taking(at)})` });
  assert.is(code, 'core/bad-socket');
  assert.is(message, `systemd listens on ${at}, and no client finds it: the file is gone`);
  assert.match(hint, 'systemctl restart sltv.socket');
});

test.run();
