import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { delimiter, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { activating } from '../fixtures/activating.ts';
import { trustedFolder } from './kernel/kit.ts';

const ENTRY = resolve(import.meta.dirname, '../../sltv.ts');

interface Line {
  readonly level: string;
  readonly message: string;
}

interface Started extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it wrote, line by line. */
  readonly lines: string[];
  /** Resolves at the first log line with this message; rejects when the daemon ends before it. */
  says(message: string): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; milliseconds: number }>;
}

/** A config whose daemon lives in `folder`; `plugins` is code. */
function configFile(folder: string, plugins = ''): string {
  const path = join(folder, 'sltv.config.ts');
  const text = `
    import { defineConfig, definePlugin, verb } from 'sltv';
    import dir from 'sltv/dir';
    import localLock from 'sltv/local-lock';
    const listen = [{ unix: '${folder}/s' }];
    export default defineConfig({ listen, stateDir: '${folder}/state', runDir: '${folder}/run', plugins: [dir(), localLock(), ${plugins}] });`;
  writeFileSync(path, text);
  return path;
}

type Words = readonly string[];

/** `through`: what the words are made of that start it; else they do by themselves. */
function start(
  config: string,
  env: Readonly<Record<string, string>> = {},
  through: (words: Words) => Words = (words) => words,
): Started {
  const [program = '', ...words] = through([process.execPath, ENTRY, 'daemon', '--config', config]);
  const child = spawn(program, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NOTIFY_SOCKET: '', ...env },
  });
  const lines: string[] = [];
  const ended = once(child, 'close');
  const heard = new Map<string, () => void>();
  if (child.stderr === null) throw new Error('stderr is a pipe');
  createInterface(child.stderr).on('line', (line) => {
    lines.push(line);
    for (const [message, resolve] of heard) if (line.includes(`"message":"${message}"`)) resolve();
  });
  return {
    child,
    lines,
    async says(message) {
      const told = Promise.withResolvers<void>();
      heard.set(message, told.resolve);
      if (lines.some((line) => line.includes(`"message":"${message}"`))) return;
      const early = ended.then(() => Promise.reject(new Error(`it ended without '${message}':\n${lines.join('\n')}`)));
      await Promise.race([told.promise, early]);
    },
    async stop(signal = 'SIGTERM') {
      const begun = performance.now();
      child.kill(signal);
      const [code] = await ended;
      return { code, milliseconds: performance.now() - begun };
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}

function call(socketPath: string, method: string, message: object): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const asked = request({ socketPath, method: 'POST', path: `/sltv.v1.${method}`, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body })).on('error', reject);
    });
    asked.on('error', reject).end(JSON.stringify(message));
  });
}

/** A plugin whose verb says in a file that it began, and then does `work`. */
const worker = (_folder: string, work: string) => `definePlugin({
  name: 'worker', api: 1,
  verbs: { 'worker do': verb({ about: 'work', example: 'worker do', role: 'viewer', args: {}, options: {}, gives: 'item', result: { done: { type: 'text', about: 'what' } } }) },
  setup: ({ log }) => ({ verbs: { 'worker do': async (_, { signal }) => { log.info('working'); ${work}; return { done: 'all' }; } } }),
})()`;

test('the daemon answers once it is ready, logs JSON lines, and ends with 0 when it is told to', async () => {
  await using folder = await trustedFolder();
  await using daemon = start(configFile(folder.path));
  await daemon.says('ready');
  const { status, body } = await call(`${folder.path}/s`, 'Sltv/GetNodeStatus', {});
  assert.is(status, 200);
  assert.match(body, '"nodeId"');
  assert.is((await daemon.stop()).code, 0);
  const messages = daemon.lines.map((line) => (JSON.parse(line) as Line).message);
  assert.is(messages[0], 'starting');
  assert.equal(messages.slice(-2), ['stopping', 'stopped']);
  assert.not.ok(existsSync(`${folder.path}/s`));
});

test('work in hand is finished, and answered, before the daemon ends', async () => {
  await using folder = await trustedFolder();
  const work = `await new Promise((resolve) => setTimeout(resolve, 300))`;
  await using daemon = start(configFile(folder.path, worker(folder.path, work)));
  await daemon.says('ready');
  const answer = call(`${folder.path}/s`, 'PluginService/Call', { words: 'worker do' });
  await daemon.says('working');
  const { code } = await daemon.stop();
  assert.is(code, 0);
  const { status, body } = await answer;
  assert.is(status, 200, body);
  assert.match(body, 'all');
});

test('work that hears no signal does not keep the daemon for more than five seconds', async () => {
  await using folder = await trustedFolder();
  await using daemon = start(configFile(folder.path, worker(folder.path, 'await new Promise(() => {})')));
  await daemon.says('ready');
  const answer = call(`${folder.path}/s`, 'PluginService/Call', { words: 'worker do' }).catch(() => undefined);
  await daemon.says('working');
  const { code, milliseconds } = await daemon.stop('SIGINT');
  await answer;
  assert.is(code, 0);
  assert.ok(milliseconds < 5_000, `${milliseconds} ms`);
});

test('a plugin that never lets go does not keep the daemon for more than five seconds', async () => {
  await using folder = await trustedFolder();
  const stubborn = `definePlugin({ name: 'stubborn', api: 1, setup({ defer }) { defer(() => new Promise(() => {})); setInterval(() => {}, 1000); } })()`;
  await using daemon = start(configFile(folder.path, stubborn));
  await daemon.says('ready');
  const { code, milliseconds } = await daemon.stop();
  assert.is(code, 0);
  assert.ok(milliseconds < 5_000, `${milliseconds} ms`);
  await daemon.says('stopped before everything had ended; commands that write go on by themselves');
});

test('a daemon that is told to stop while it starts ends with 0', async () => {
  await using folder = await trustedFolder();
  const slow = `definePlugin({ name: 'slow', api: 1, setup({ signal, log }) {
    log.info('taking long');
    return new Promise((_, reject) => { setInterval(() => {}, 1000).unref(); signal.addEventListener('abort', () => reject(signal.reason)); });
  } })()`;
  await using daemon = start(configFile(folder.path, slow));
  await daemon.says('taking long');
  assert.is((await daemon.stop()).code, 0);
  await daemon.says('stopped before it was ready');
});

test('a second daemon with the same run directory is refused, and the first one goes on', async () => {
  await using folder = await trustedFolder();
  const config = configFile(folder.path);
  await using first = start(config);
  await first.says('ready');
  await using second = start(config, { SLTV_LISTEN_UNIX: `${folder.path}/other` });
  const [code] = await once(second.child, 'close');
  assert.is(code, 6);
  assert.match(second.lines.join('\n'), `another sltv daemon runs with the directory ${folder.path}/run`);
  assert.is((await call(`${folder.path}/s`, 'Sltv/ListDisks', {})).status, 200);
});

test('after a kill -9 the next daemon takes over its socket and its run directory', async () => {
  await using folder = await trustedFolder();
  const config = configFile(folder.path);
  await using first = start(config);
  await first.says('ready');
  await first.stop('SIGKILL');
  await using second = start(config);
  await second.says('ready');
  assert.is((await call(`${folder.path}/s`, 'Sltv/ListDisks', {})).status, 200);
});

test('a plugin that can’t start ends the daemon with its reason and code, and undoes the others', async () => {
  await using folder = await trustedFolder();
  const broken = `definePlugin({ name: 'before', api: 1, setup({ defer, log }) { defer(() => log.info('undone')); } })(), definePlugin({ name: 'broken', api: 1, setup() { throw new Error('no luck'); } })()`;
  await using daemon = start(configFile(folder.path, broken));
  const [code] = await once(daemon.child, 'close');
  assert.is(code, 1);
  assert.match(daemon.lines.join('\n'), '"message":"undone"');
  assert.match(daemon.lines.join('\n'), 'plugin broken could not start: no luck');
  assert.not.ok(existsSync(`${folder.path}/s`));
});

test('a config with problems ends the daemon with 2 and all of them', async () => {
  await using folder = await trustedFolder();
  await using daemon = start(configFile(folder.path), { SLTV_LOG_LEVEL: 'loud', SLTV_LISTEN_TCP: '0.0.0.0:1' });
  const [code] = await once(daemon.child, 'close');
  assert.is(code, 2);
  const said = daemon.lines.join('\n');
  assert.match(said, 'has 2 problems');
  assert.match(said, 'log.level: expected ("debug" | "info" | "warn" | "error"), got "loud" (set by SLTV_LOG_LEVEL)');
  assert.match(said, 'SLTV_LISTEN_TCP: TCP comes with TLS');
});

test('a daemon with a cluster joins it, with its version and the format that it writes', async () => {
  await using folder = await trustedFolder();
  const nearby = `definePlugin({ name: 'nearby', api: 1, provides: { cluster: Cluster }, setup: ({ log }) => ({ provides: { cluster: {
    join: (self) => log.info('joined', self), tell: () => {}, answer: () => {}, members: async () => [], isOver: async () => false, trouble: () => undefined, silent: () => [],
  } } }) })()`;
  const config = configFile(folder.path, nearby);
  writeFileSync(config, readFileSync(config, 'utf8').replace('import { ', 'import { Cluster, '));
  await using daemon = start(config);
  await daemon.says('ready');
  const joined = daemon.lines.find((line) => line.includes('"message":"joined"')) ?? '{}';
  assert.is((JSON.parse(joined) as { format?: number }).format, 1);
  assert.match((await call(`${folder.path}/s`, 'Sltv/GetClusterStatus', {})).body, '"enabled":true');
});

test('systemd hears when the daemon is ready and when it stops', async () => {
  await using folder = await trustedFolder();
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  const heard = join(folder.path, 'heard');
  writeFileSync(join(bin, 'systemd-notify'), `#!/bin/sh\necho "$@" >> ${heard}\n`);
  chmodSync(join(bin, 'systemd-notify'), 0o755);
  const env = { PATH: `${bin}${delimiter}${process.env.PATH}`, NOTIFY_SOCKET: '/run/systemd/notify' };
  await using daemon = start(configFile(folder.path), env);
  await daemon.says('ready');
  assert.is(readFileSync(heard, 'utf8'), `--pid=${daemon.child.pid} READY=1\n`);
  await daemon.stop();
  assert.is(readFileSync(heard, 'utf8'), `--pid=${daemon.child.pid} READY=1\n--pid=${daemon.child.pid} STOPPING=1\n`);
});

test('the watchdog hears of the daemon from when it is ready', async () => {
  await using folder = await trustedFolder();
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  // Told to stop by its own third message.
  const script = `#!/bin/sh\necho "$2" >> ${folder.path}/heard; [ $(wc -l < ${folder.path}/heard) = 3 ] && kill $PPID; true\n`;
  writeFileSync(join(bin, 'systemd-notify'), script);
  chmodSync(join(bin, 'systemd-notify'), 0o755);
  const PATH = `${bin}${delimiter}${process.env.PATH}`;
  await using daemon = start(configFile(folder.path), { PATH, NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '300000' });
  await daemon.says('ready');
  await once(daemon.child, 'close');
  const heard = readFileSync(`${folder.path}/heard`, 'utf8').trim().split('\n');
  assert.equal(heard.slice(0, 3), ['READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
  assert.is(heard.at(-1), 'STOPPING=1');
});

test('who connects to a socket of systemd’s before the daemon is ready is answered then; its end leaves the path', async () => {
  await using folder = await trustedFolder();
  await using daemon = start(configFile(folder.path), {}, (words) => activating(`${folder.path}/s`, words));
  await daemon.says('starting');
  const { status } = await call(`${folder.path}/s`, 'Sltv/ListDisks', {});
  assert.is(status, 200);
  assert.is(statSync(`${folder.path}/s`).mode & 0o777, 0o660);
  assert.is((await daemon.stop()).code, 0);
  assert.ok(existsSync(`${folder.path}/s`));
});

test('a socket of systemd’s where the config has no listener is refused, with both paths', async () => {
  await using folder = await trustedFolder();
  const through = (words: Words) => activating(`${folder.path}/elsewhere`, words);
  await using daemon = start(configFile(folder.path), {}, through);
  const [code] = await once(daemon.child, 'close');
  assert.is(code, 6);
  const said = daemon.lines.join('\n');
  assert.match(said, `systemd listens on ${folder.path}/elsewhere (sltv.socket), where the config has no listener`);
  assert.match(said, `let ListenStream= be ${folder.path}/s`);
});

test('without systemd-notify the daemon says so and goes on', async () => {
  await using folder = await trustedFolder();
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  const flock = (process.env.PATH ?? '').split(delimiter).find((path) => existsSync(join(path, 'flock')));
  symlinkSync(join(flock ?? '', 'flock'), join(bin, 'flock'));
  await using daemon = start(configFile(folder.path), { PATH: bin, NOTIFY_SOCKET: '/run/systemd/notify' });
  await daemon.says('ready');
  await daemon.says('systemd could not be told');
  assert.is((await daemon.stop()).code, 0);
});

test.run();
