import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { listenAt } from '../../../core/api/socket.ts';
import type { SltvError } from '../../../core/errors.ts';

interface Context {
  folder: string;
  path: string;
  servers: Server[];
}
const test = suite<Context>('a socket');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'sltv-socket-'));
  context.path = join(context.folder, 'd.sock');
  context.servers = [];
});
test.after.each(({ folder, servers }) => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A server that says its name to whoever connects. */
function named({ servers }: Context, name: string): Server {
  const server = createServer((socket) => {
    // Who only looks whether somebody is there doesn't wait for the name.
    socket.on('error', () => {});
    socket.end(name);
  });
  servers.push(server);
  return server;
}

function whoAnswers(path: string): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const socket = createConnection(path);
    socket.on('data', (chunk) => {
      said += chunk;
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('end', () => resolve(said));
  });
}

/** A socket whose daemon has died: the path is there, and nobody answers. */
async function leaveStale({ path, folder }: Context): Promise<void> {
  const server = createServer();
  const own = join(folder, 'dead');
  await new Promise<void>((resolve) => server.listen(own, resolve));
  linkSync(own, path);
  await new Promise((resolve) => server.close(resolve));
}

const failure = async (work: Promise<unknown>): Promise<SltvError> =>
  await work.then(
    () => assert.unreachable('it should have been refused'),
    (error) => error,
  );

test('has its group and mode, and nothing else is left in the folder', async (context) => {
  const { gid, name } = anotherGroup();
  await listenAt({ path: context.path, group: name, mode: 0o620 }, named(context, 'us'));
  const socket = lstatSync(context.path);
  assert.ok(socket.isSocket());
  assert.is(socket.mode & 0o777, 0o620);
  assert.is(socket.gid, gid);
  assert.equal(readdirSync(context.folder), ['d.sock']);
  assert.is(await whoAnswers(context.path), 'us');
});

test('a group may be a number', async (context) => {
  const { gid } = anotherGroup();
  await listenAt({ path: context.path, group: String(gid), mode: 0o660 }, named(context, 'us'));
  assert.is(lstatSync(context.path).gid, gid);
});

test('nobody can reach it before it has its group and mode', async (context) => {
  const server = named(context, 'us');
  const bound: { folderMode: number; isInPlace: boolean }[] = [];
  server.on('listening', () => {
    const own = String(server.address());
    bound.push({ folderMode: statSync(dirname(own)).mode & 0o777, isInPlace: existsSync(context.path) });
  });
  await listenAt({ path: context.path, mode: 0o600 }, server);
  assert.equal(bound, [{ folderMode: 0o700, isInPlace: false }]);
});

test('a socket that nobody answers on is replaced', async (context) => {
  await leaveStale(context);
  await listenAt({ path: context.path, mode: 0o660 }, named(context, 'us'));
  assert.is(await whoAnswers(context.path), 'us');
});

test('a socket that somebody answers on is never replaced', async (context) => {
  await listenAt({ path: context.path, mode: 0o660 }, named(context, 'they'));
  const error = await failure(listenAt({ path: context.path, mode: 0o660 }, named(context, 'us')));
  assert.is(error.code, 'core/bad-socket');
  assert.is(error.message, `another daemon answers on ${context.path}`);
  assert.is(await whoAnswers(context.path), 'they');
  assert.equal(readdirSync(context.folder), ['d.sock']);
});

test('of many daemons that start at once over a stale socket no two get it', async (context) => {
  await leaveStale(context);
  const names = Array.from({ length: 8 }, (_, index) => `daemon ${index}`);
  const outcomes = await Promise.allSettled(
    names.map((name) => listenAt({ path: context.path, mode: 0o660 }, named(context, name))),
  );
  const losers = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.ok(losers.length >= names.length - 1, `${losers.length} of ${names.length} were refused`);
  assert.equal([...new Set(losers.map(({ reason }) => reason.code))], ['core/bad-socket']);
  // Who starts after them finds one of them there, or gets the place.
  const late = await listenAt({ path: context.path, mode: 0o660 }, named(context, 'late')).catch(() => undefined);
  assert.is(
    await whoAnswers(context.path),
    late ? 'late' : names[outcomes.findIndex(({ status }) => status === 'fulfilled')],
  );
});

test('a file at the path stays as it is', async (context) => {
  writeFileSync(context.path, 'precious');
  const error = await failure(listenAt({ path: context.path, mode: 0o660 }, named(context, 'us')));
  assert.is(error.code, 'core/bad-socket');
  assert.match(error.message, /is not a socket/);
  assert.is(readFileSync(context.path, 'utf8'), 'precious');
});

test('a folder at the path is refused', async (context) => {
  mkdirSync(context.path);
  const error = await failure(listenAt({ path: context.path, mode: 0o660 }, named(context, 'us')));
  assert.is(error.code, 'core/bad-socket');
});

test('a missing folder is made, for others to pass', async (context) => {
  const path = join(context.folder, 'run/sltv/d.sock');
  await listenAt({ path, mode: 0o660 }, named(context, 'us'));
  assert.is(statSync(dirname(path)).mode & 0o777, 0o755);
  assert.is(await whoAnswers(path), 'us');
});

test('a file where a folder has to be is refused', async (context) => {
  writeFileSync(join(context.folder, 'run'), '');
  const path = join(context.folder, 'run/d.sock');
  const error = await failure(listenAt({ path, mode: 0o660 }, named(context, 'us')));
  assert.is(error.code, 'core/bad-socket');
});

test('a group that is not there is said, and nothing is made', async (context) => {
  const error = await failure(listenAt({ path: context.path, group: 'nobodys', mode: 0o660 }, named(context, 'us')));
  assert.is(error.code, 'core/config');
  assert.match(error.hint ?? '', /groupadd/);
  assert.equal(readdirSync(context.folder), []);
});

test("a path that is too long for a socket's is refused", async (context) => {
  const path = join(context.folder, 'x'.repeat(100), 'd.sock');
  const error = await failure(listenAt({ path, mode: 0o660 }, named(context, 'us')));
  assert.is(error.code, 'core/bad-socket');
  assert.match(error.message, /too long/);
});

test('releasing takes the path away', async (context) => {
  const release = await listenAt({ path: context.path, mode: 0o660 }, named(context, 'us'));
  await release();
  assert.equal(readdirSync(context.folder), []);
});

test("releasing leaves a path that is another's by now", async (context) => {
  const release = await listenAt({ path: context.path, mode: 0o660 }, named(context, 'us'));
  rmSync(context.path);
  await listenAt({ path: context.path, mode: 0o660 }, named(context, 'they'));
  await release();
  assert.is(await whoAnswers(context.path), 'they');
});

/** One that root may give a file, or else the only one that we can. */
function anotherGroup(): { name: string; gid: number } {
  const groups = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , gid]) => ({ name, gid: Number(gid) }));
  const isRoot = process.getuid?.() === 0;
  const found = groups.find(({ gid }) => (isRoot ? gid > 0 && gid !== process.getgid?.() : gid === process.getgid?.()));
  if (!found) throw new Error('this machine has no group to try');
  return found;
}

test.run();
