// A real program and a real web server are told.
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'valibot';
import { NodeFenced } from '../../../core/capabilities/cluster.ts';
import { PoolGrown } from '../../../core/capabilities/storage.ts';
import { definitionOf } from '../../../core/kernel/definition.ts';
import notify from '../../../plugins/notify/index.ts';
import { bootOne } from '../../fixtures/one-plugin.ts';

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'sltv-notify-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const nodeIn = (path: string) => ({
  id: 'kvm1',
  machineId: 'a'.repeat(32),
  bootId: 'b1',
  stateDir: path,
  runDir: path,
});

/** A server that keeps what it is sent, and gives these answers, the last one from then on. */
async function server(...answers: readonly number[]) {
  const got: { readonly headers: Readonly<Record<string, unknown>>; readonly body: Record<string, unknown> }[] = [];
  const heard = Promise.withResolvers<void>();
  const web = createServer(async (request, response) => {
    got.push({ headers: request.headers, body: JSON.parse(await text(request)) });
    const status = answers[got.length - 1] ?? answers.at(-1) ?? 200;
    response.writeHead(status).end();
    if (status === 200) heard.resolve();
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  const { port } = web.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    got,
    heard: heard.promise,
    async [Symbol.asyncDispose]() {
      web.close();
      web.closeAllConnections();
      await once(web, 'close');
    },
  };
}

const GROWN = { type: 'pool.grown', subject: 'vg0', message: 'has more room', node: 'kvm1' };
const partsOf = ({ type, subject, message, node }: Readonly<Record<string, unknown>>) => ({
  type,
  subject,
  message,
  node,
});

test('an address gets an event by POST, with the headers of the config, and again after a failure', async () => {
  await using at = await folder();
  await using web = await server(503, 200);
  const daemon = await bootOne(notify({ targets: [{ url: web.url, headers: { 'x-key': 'k' } }] }), nodeIn(at.path));
  daemon.emit(PoolGrown, { pool: 'vg0' });
  await web.heard;
  await daemon.stop();
  assert.equal(
    web.got.map(({ headers, body }) => [headers['x-key'], headers['content-type'], partsOf(body)]),
    [
      ['k', 'application/json', GROWN],
      ['k', 'application/json', GROWN],
    ],
  );
});

test('only what a target wants is told to it', async () => {
  await using at = await folder();
  await using web = await server(200);
  const daemon = await bootOne(notify({ targets: [{ url: web.url, events: ['pool.*'] }] }), nodeIn(at.path));
  daemon.emit(NodeFenced, { place: { node: 'kvm2', boot: 'b' }, proof: 'by hand' });
  daemon.emit(PoolGrown, { pool: 'vg0' });
  await web.heard;
  await daemon.stop();
  assert.equal(
    web.got.map(({ body }) => body.type),
    ['pool.grown'],
  );
});

test('a command gets an event on its stdin and in its environment', async () => {
  await using at = await folder();
  await using web = await server(200);
  const script = join(at.path, 'tell');
  const told = join(at.path, 'told');
  await writeFile(
    script,
    `#!/bin/sh\n{ cat; echo "$1 $SLTV_EVENT_NODE $SLTV_EVENT $SLTV_EVENT_SUBJECT"; } > ${told}\n`,
    {
      mode: 0o755,
    },
  );
  const targets = [{ command: [script, 'word'] }, { url: web.url }];
  const daemon = await bootOne(notify({ targets }), nodeIn(at.path));
  daemon.emit(PoolGrown, { pool: 'vg0' });
  await web.heard;
  const lines = await until(async () => {
    const all = (await readFile(told, 'utf8').catch(() => '')).trim().split('\n');
    return all.length === 2 ? all : undefined;
  });
  await daemon.stop();
  assert.equal(partsOf(JSON.parse(lines[0] ?? '')), GROWN);
  assert.is(lines[1], 'word kvm1 pool.grown vg0');
});

/** A file that another process writes tells nobody when it is whole. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error('it did not come');
    await new Promise(setImmediate);
  }
}

for (const [title, given, because] of [
  ['nobody to tell', { targets: [] }, 'whom to tell?'],
  ['neither command nor url', { targets: [{}] }, 'either a command or a url'],
  ['both', { targets: [{ command: ['x'], url: 'http://x' }] }, 'either a command or a url'],
  ['headers for a command', { targets: [{ command: ['x'], headers: {} }] }, 'headers go with a url'],
  ['an address of another kind', { targets: [{ url: 'ftp://x' }] }, 'http:// or https://'],
  ['a type that is none', { targets: [{ command: ['x'], events: ['paused'] }] }, 'disk.paused or disk.*'],
] as const) {
  test(`${title} is refused, and the sentence says why`, () => {
    // As an editor would not let one write it.
    const definition = definitionOf(notify(given as never));
    if (typeof definition === 'string' || !definition.options) throw new Error('it is a plugin with options');
    const { options } = definition;
    assert.throws(
      () => parse(options, given),
      (error: Error) => error.message.includes(because),
    );
  });
}

test.run();
