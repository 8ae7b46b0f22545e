// Which pools there are, how they are made, and how they grow.
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Kind, SltvError } from '../../../core/errors.ts';
import { fifo, loopVg, MEBIBYTE, never, poolOf, replaceHead, shim } from './fixture.ts';

const execute = promisify(execFile);
const NEW = { name: 'a', size: 1n, notes: { v: ['1'] }, format: 'raw', active: false } as const;

async function refused(code: string, kind: Kind, promise: Promise<unknown>): Promise<SltvError> {
  const error = await promise.then(
    (value) => assert.unreachable(`it succeeded with ${value}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SltvError)) throw error;
  assert.is(`${error.code} (${error.kind}): ${error.message}`, `${code} (${kind}): ${error.message}`);
  assert.match(error.message, /\S \S/);
  return error;
}

test('no command is run before somebody asks for pools', async () => {
  await using vg = await loopVg();
  const { storage, take } = await vg.open();
  assert.equal(take(), []);
  await storage.pools(never);
  assert.equal(take(), ['lvm vgs']);
});

test('the pools are the VGs that the config names, in its order, then the marked ones by name', async () => {
  await using vg = await loopVg({ sizes: [64, 64, 64, 64, 64], vg: false });
  const [d0 = '', d1 = '', d2 = '', d3 = '', d4 = ''] = vg.devices;
  const mark = ['--addtag', 'sltv:v=1'];
  for (const [name, device, ...tags] of [
    ['unmarked', d0],
    ['b', d1, ...mark],
    ['a', d2, ...mark],
    ['y', d3],
    ['x', d4],
  ]) {
    await vg.lvm('vgcreate', '--metadatasize', '1m', ...tags, name ?? '', device ?? '');
  }
  const { storage } = await vg.open({ vgs: ['y', 'x', 'nowhere'] });
  assert.equal(
    (await storage.pools(never)).map(({ name }) => name),
    ['y', 'x', 'a', 'b'],
  );
  const absence = storage.absence?.('nowhere');
  assert.is(absence?.code, 'lvm/vg-missing');
  assert.match(absence?.message ?? '', 'volume group nowhere, which the config names, is not on this host');
  const unmarked = storage.absence?.('unmarked');
  assert.is(unmarked?.code, 'lvm/not-a-pool', 'nobody said that it is one');
  assert.match(unmarked?.hint ?? '', "lvm({ vgs: ['unmarked'] })");
  assert.is(storage.absence?.('neither'), undefined, 'no VG of this host at all');
});

test('a pool that is still there stays the same one', async () => {
  await using vg = await loopVg();
  const { pool } = await vg.open({ now: clock(60_000) });
  assert.is(await pool(), await pool());
});

test('a VG of the config that isn’t there is said once, and again when it vanishes again', async () => {
  await using vg = await loopVg({ vg: false });
  const { storage, said } = await vg.open({ now: clock(60_000) });
  const look = () => storage.pools(never);
  await look();
  await look();
  assert.equal(said, [`INFO  the config's volume group ${vg.name} is not on this host`]);
  await vg.lvm('vgcreate', vg.name, ...vg.devices);
  const [pool] = await look();
  await vg.lvm('vgremove', '--force', vg.name);
  await refused('lvm/vg-missing', 'not-found', pool?.facts(never) ?? Promise.resolve());
  assert.equal(await look(), []);
  assert.is(said.length, 2);
});

test('without lvm2, and without permission, there are no pools, which is said once', async () => {
  await using vg = await loopVg();
  const denied = `echo '  /run/lock/lvm/P_global:aux: open failed: Permission denied' >&2; exit 5`;
  for (const [env, words] of [
    [{ PATH: vg.directory }, /could not be started/],
    [await shim(vg.directory, denied), /no permission/],
  ] as const) {
    const { storage, said } = await vg.open({ env, now: clock(60_000) });
    for (const _ of ['first', 'again']) assert.equal(await storage.pools(never), []);
    const warnings = said.filter((line) => line.startsWith('WARN'));
    assert.is(warnings.length, 1);
    assert.match(warnings[0] ?? '', words);
  }
});

test('while LVM can’t be asked, the pools that it told last stay, and who commits is told why not', async () => {
  await using vg = await loopVg();
  const denied = `echo '  /run/lock/lvm/P_global:aux: open failed: Permission denied' >&2; exit 5`;
  const env = await shim(vg.directory, `[ -e ${vg.directory}/denied ] && { ${denied}; }; exec $LVM "$@"`);
  const { storage, said, pool } = await vg.open({ env, now: clock(60_000) });
  const before = await pool();
  await before.change({ signal: never }, (writer) => writer.create({ ...NEW, active: false }));
  await writeFile(`${vg.directory}/denied`, '');
  assert.is(await pool(), before);
  assert.equal(
    (await before.volumes(never)).map(({ name }) => name),
    ['a'],
  );
  const extension = before.change({ signal: never }, (writer) => writer.extend('a', 8n * BigInt(MEBIBYTE)));
  const error = await extension.catch((thrown: unknown) => thrown);
  assert.is(error instanceof SltvError && error.kind, 'denied');
  // Found out by the look behind an answer, a moment later.
  while (storage.absence?.(vg.name)?.kind !== 'denied') await storage.pools(never).then(() => turnOfTheLoop());
  assert.match(said.join('\n'), "WARN  LVM can't be asked for volume groups");
  await rm(`${vg.directory}/denied`);
  await vg.lvm('vgremove', '--force', vg.name);
  assert.equal(await storage.pools(never), []);
});

test('a caller whose signal fires stops waiting for a look that others go on waiting for', async () => {
  await using vg = await loopVg();
  const go = await fifo(`${vg.directory}/go`);
  const { storage, take } = await vg.open({ env: await shim(vg.directory, `read _ < ${go.path}; exec $LVM "$@"`) });
  const impatient = new AbortController();
  const left = storage.pools(impatient.signal);
  const stayed = storage.pools(never);
  impatient.abort(new Error('enough'));
  await left.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'enough'),
  );
  await go.say();
  assert.is((await stayed).length, 1);
  assert.equal(take(), ['lvm vgs']);
});

test('two VGs of one name are no pool, and the log says what to do', async () => {
  await using vg = await loopVg({ sizes: [64, 64], create: ['--metadatasize', '1m'] });
  const [, second = ''] = vg.devices;
  await vg.lvm('vgcreate', '--metadatasize', '1m', 'other', second);
  // Under a filter that hides the first, the name is free.
  const hides = `devices { global_filter=[ "a|^${second}$|", "r|.*|" ] }`;
  await vg.lvm('vgrename', '--config', hides, 'other', vg.name);
  const { storage, said } = await vg.open();
  assert.equal(await storage.pools(never), []);
  assert.match(said.join('\n'), /vgrename/);
});

test('a pool is made: marked, not auto-activated, with a metadata area of its size', async () => {
  await using vg = await loopVg({ sizes: [4096], vg: false });
  const { storage } = await vg.open();
  const pool = await storage.createPool({ name: vg.name, devices: vg.devices }, never);
  assert.is(await vg.vg('vg_tags'), 'sltv:lock=local/host,sltv:v=1');
  assert.is(await vg.vg('vg_autoactivation'), '');
  assert.is(await vg.sequence(), 1);
  const { metadata, readOnlyBecause } = await pool.facts(never);
  assert.is(readOnlyBecause, undefined);
  assert.ok((metadata?.size ?? 0n) >= 64n * BigInt(MEBIBYTE), `${metadata?.size}`);
  await pool.change({ signal: never }, (writer) => writer.create(NEW));
  assert.is(await poolOf(storage, vg.name), pool);
});

test('a small device gives a small metadata area', async () => {
  await using vg = await loopVg({ sizes: [64, 128], vg: false });
  const { storage } = await vg.open();
  const pool = await storage.createPool({ name: vg.name, devices: vg.devices }, never);
  const { size, metadata } = await pool.facts(never);
  assert.ok(size > 180n * BigInt(MEBIBYTE) && (metadata?.size ?? 0n) >= BigInt(MEBIBYTE), `${size} ${metadata?.size}`);
});

test('a pool is not made of what holds data, is in use, or is no device; nor twice, nor under a bad name', async () => {
  await using vg = await loopVg({ sizes: [64, 64], create: ['--metadatasize', '1m'] });
  const { storage } = await vg.open();
  const [taken = '', blank = ''] = vg.devices;
  const make = (name: string, ...devices: string[]) => storage.createPool({ name, devices }, never);
  const fresh = `${vg.name}-2`;
  await refused('lvm/vg-exists', 'exists', make(vg.name, blank));
  const inUse = await refused('lvm/device-in-use', 'refused', make(fresh, taken));
  assert.is(inUse.message, `${taken} belongs to volume group ${vg.name}`);
  await refused('lvm/vg-exists', 'exists', make('net', blank));
  await refused('lvm/bad-name', 'invalid', make('-f', blank));
  await refused('lvm/device-missing', 'not-found', make(fresh));
  for (const none of ['/dev/nowhere', '/dev/null', vg.directory, '--yes', 'sda']) {
    await refused('lvm/device-missing', 'not-found', make(fresh, none));
  }
  await execute('mkfs.ext4', ['-q', blank]);
  const error = await refused('lvm/device-in-use', 'refused', make(fresh, blank));
  assert.is(error.message, `${blank} holds data: ext4`);
  assert.match(error.hint ?? '', `wipefs --all ${blank}`);
  assert.match((await execute('blkid', ['-p', '-o', 'value', '-s', 'TYPE', blank])).stdout, /ext4/);
});

test('a pool grows by a device in one commit, with as much room for metadata; twice is once', async () => {
  await using vg = await loopVg({ sizes: [1024, 1024], create: ['--metadatasize', '8m'] });
  const { pool, take } = await vg.open();
  const grown = await pool();
  await grown.change({ signal: never }, (writer) => writer.volumes());
  const before = { facts: await grown.facts(never), sequence: await vg.sequence() };
  take();
  await grown.grow?.([vg.devices[1] ?? ''], never);
  assert.equal(take(), ['lvm vgextend']);
  const after = await grown.facts(never);
  assert.equal(after.devices.toSorted(), vg.devices.toSorted());
  assert.ok(after.size > (before.facts.size * 19n) / 10n);
  assert.equal(after.metadata?.size, before.facts.metadata?.size);
  await grown.grow?.(vg.devices, never);
  assert.is(await vg.sequence(), before.sequence + 1);
  await grown.change({ signal: never }, (writer) => writer.create({ ...NEW, size: before.facts.size }));
});

test('a small device adds no metadata area, which would be the smallest', async () => {
  await using vg = await loopVg({ sizes: [1024, 64], create: ['--metadatasize', '8m'] });
  const pool = await (await vg.open()).pool();
  const before = await pool.facts(never);
  await pool.grow?.([vg.devices[1] ?? ''], never);
  const after = await pool.facts(never);
  assert.is(after.metadata?.size, before.metadata?.size);
  assert.is(after.devices.length, 2);
});

test('a pool does not grow by a device that holds data, or that isn’t there', async () => {
  await using vg = await loopVg({ sizes: [64, 64], create: ['--metadatasize', '1m'] });
  const pool = await (await vg.open()).pool();
  const [, other = ''] = vg.devices;
  await execute('mkfs.ext4', ['-q', other]);
  await refused('lvm/device-in-use', 'refused', pool.grow?.([other], never) ?? Promise.resolve());
  await refused('lvm/device-missing', 'not-found', pool.grow?.(['/dev/nowhere'], never) ?? Promise.resolve());
  assert.equal((await pool.facts(never)).devices, vg.devices.slice(0, 1));
});

test('a VG whose devices got other names is found again', async () => {
  await using vg = await loopVg({ sizes: [64, 64] });
  const [first = '', second = ''] = vg.devices;
  const pool = await (await vg.open()).pool();
  await pool.change({ signal: never }, (writer) => writer.create(NEW));
  await replaceHead(second, await replaceHead(first));
  assert.is((await pool.volumes(never)).length, 1);
  await pool.change({ signal: never }, (writer) => writer.extend('a', BigInt(8 * MEBIBYTE)));
  assert.equal((await pool.facts(never)).devices, [second]);
});

/** A clock that goes on by so many milliseconds each time that somebody looks. */
function clock(step: number): () => number {
  let now = 0;
  return () => {
    now += step;
    return now;
  };
}

test.run();
