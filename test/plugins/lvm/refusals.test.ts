// What can't be done: the kind, the sentence, the hint, and that nothing was changed.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Pool, Writer } from '../../../core/capabilities/storage.ts';
import { type Kind, SltvError } from '../../../core/errors.ts';
import { createLocalLocks } from '../../../plugins/local-lock/locks.ts';
import { type LoopVg, loopVg, MEBIBYTE, never, replaceHead, shim } from './fixture.ts';

const EXTENT = 4n * BigInt(MEBIBYTE);
const NEW = { name: 'a', size: EXTENT, notes: { v: ['1'] }, format: 'raw', active: false } as const;
const change = <T>(pool: Pool, work: (writer: Writer) => Promise<T>) => pool.change({ signal: never }, work);

/** Holds that the promise rejects with this code and kind; answers with the error. */
async function refused(code: string, kind: Kind, promise: Promise<unknown>): Promise<SltvError> {
  const error = await promise.then(
    (value) => assert.unreachable(`it succeeded with ${value}`),
    (thrown: unknown) => thrown,
  );
  assert.instance(error, SltvError);
  if (!(error instanceof SltvError)) throw error;
  assert.is(`${error.code} (${error.kind}): ${error.message}`, `${code} (${kind}): ${error.message}`);
  assert.match(error.message, /\S \S/);
  return error;
}

/** Holds that the work is refused and the VG is as it was. */
async function changesNothing(vg: LoopVg, code: string, kind: Kind, work: () => Promise<unknown>): Promise<SltvError> {
  const before = await vg.sequence();
  const error = await refused(code, kind, work());
  assert.is(await vg.sequence(), before);
  return error;
}

test('no space: how much is free, how much is needed, and how to get more', async () => {
  await using vg = await loopVg({ create: ['--metadatasize', '1m'] });
  const pool = await (await vg.open()).pool();
  await change(pool, (writer) => writer.create(NEW));
  const create = () => change(pool, (writer) => writer.create({ ...NEW, name: 'b', size: 1000n * EXTENT }));
  const error = await changesNothing(vg, 'lvm/no-space', 'exhausted', create);
  assert.is(error.message, `volume group ${vg.name} has 248 MiB free, 3.9 GiB are needed`);
  assert.is(error.hint, `sltv pool extend ${vg.name} /dev/…`);
  assert.match(String(error.cause), 'insufficient free space');
  const extend = () => change(pool, (writer) => writer.extend('a', 101n * EXTENT));
  const { message } = await changesNothing(vg, 'lvm/no-space', 'exhausted', extend);
  assert.is(message, `volume group ${vg.name} has 248 MiB free, 400 MiB are needed`);
});

test('a name that is taken, also by hand; a volume that isn’t there; a name or a note that can’t be', async () => {
  await using vg = await loopVg();
  const pool = await (await vg.open()).pool();
  await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L4m', '-n', 'a', vg.name);
  await change(pool, (writer) => writer.volumes());
  const tries: [string, Kind, (writer: Writer) => Promise<unknown>][] = [
    ['lvm/exists', 'exists', (writer) => writer.create(NEW)],
    ['lvm/volume-missing', 'not-found', (writer) => writer.extend('b', 1n)],
    ['lvm/volume-missing', 'not-found', (writer) => writer.annotate('b', { add: { v: ['1'] } })],
    ['lvm/bad-name', 'invalid', (writer) => writer.create({ ...NEW, name: 'x_tdata' })],
    ['lvm/bad-name', 'invalid', (writer) => writer.create({ ...NEW, name: '--help' })],
    ['lvm/bad-note', 'invalid', (writer) => writer.create({ ...NEW, name: 'b', notes: { k: ['x'.repeat(2000)] } })],
    ['lvm/bad-note', 'invalid', (writer) => writer.annotate('a', { add: { good: ['1'], k: ['x'.repeat(2000)] } })],
  ];
  for (const [code, kind, work] of tries) await changesNothing(vg, code, kind, () => change(pool, work));
  await refused('lvm/volume-missing', 'not-found', pool.activate('b', never));
});

test('a VG of another lock domain is listed, says why it is read-only, and is never written', async () => {
  await using vg = await loopVg();
  await change(await (await vg.open()).pool(), (writer) => writer.create(NEW));
  const pool = await (await vg.open({ host: 'other', locks: createLocalLocks('other', never) })).pool();
  assert.is((await pool.volumes(never)).length, 1);
  const error = await changesNothing(vg, 'lvm/other-domain', 'refused', () =>
    change(pool, (writer) => writer.remove('a')),
  );
  assert.match(error.message, 'local/host');
  assert.is((await pool.facts(never)).readOnlyBecause, error.message);
  assert.match(error.hint ?? '', `sltv pool take ${vg.name}`);
});

test('a VG that two domains have marked is written by neither', async () => {
  await using vg = await loopVg();
  await vg.lvm(
    'vgchange',
    '--addtag',
    'sltv:v=1',
    '--addtag',
    'sltv:lock=local/host',
    '--addtag',
    'sltv:lock=local/other',
    vg.name,
  );
  for (const host of ['host', 'other']) {
    const pool = await (await vg.open({ host })).pool();
    await changesNothing(vg, 'lvm/other-domain', 'refused', () => change(pool, (writer) => writer.create(NEW)));
  }
});

test('a VG of a newer format is listed and never written', async () => {
  await using vg = await loopVg();
  await vg.lvm('vgchange', '--addtag', 'sltv:v=2', '--addtag', 'sltv:lock=local/host', vg.name);
  const pool = await (await vg.open({ vgs: [] })).pool();
  await changesNothing(vg, 'lvm/format-newer', 'unsupported', () => change(pool, (writer) => writer.create(NEW)));
  assert.match((await pool.facts(never)).readOnlyBecause ?? '', 'format 2');
});

test('a VG that is marked for no domain is taken over only when the config names it', async () => {
  await using vg = await loopVg();
  await vg.lvm('vgchange', '--addtag', 'sltv:v=1', vg.name);
  const unnamed = await (await vg.open({ vgs: [] })).pool();
  await changesNothing(vg, 'lvm/read-only', 'refused', () => change(unnamed, (writer) => writer.create(NEW)));
  await change(await (await vg.open()).pool(), (writer) => writer.create(NEW));
  assert.is(await vg.vg('vg_tags'), 'sltv:lock=local/host,sltv:v=1');
});

test('a VG that is exported is read-only', async () => {
  await using vg = await loopVg();
  const pool = await (await vg.open()).pool();
  await change(pool, (writer) => writer.volumes());
  await vg.lvm('vgexport', vg.name);
  const error = await refused(
    'lvm/read-only',
    'refused',
    change(pool, (writer) => writer.create(NEW)),
  );
  assert.match(error.hint ?? '', 'vg_exported');
});

test('a VG that has lost a device can be read, and not written until it is back', async () => {
  await using vg = await loopVg({ sizes: [256, 256] });
  await vg.lvm('vgextend', vg.name, vg.devices[1] ?? '');
  const opened = await vg.open();
  const pool = await opened.pool();
  await change(pool, (writer) => writer.create(NEW));
  const [, lost = ''] = vg.devices;
  const head = await replaceHead(lost);
  assert.is((await pool.volumes(never)).length, 1);
  await refused(
    'lvm/device-lost',
    'unavailable',
    change(pool, (writer) => writer.extend('a', 2n * EXTENT)),
  );
  assert.match((await pool.facts(never)).readOnlyBecause ?? '', 'lacks 1');
  await replaceHead(lost, head);
  assert.is((await change(pool, (writer) => writer.extend('a', 2n * EXTENT))).size, 2n * EXTENT);
});

test('a VG that vanished: its pool says so, and the next look at the pools knows', async () => {
  await using vg = await loopVg();
  const opened = await vg.open();
  const pool = await opened.pool();
  await change(pool, (writer) => writer.create(NEW));
  await vg.lvm('vgremove', '--yes', '--force', vg.name);
  const error = await refused(
    'lvm/vg-missing',
    'not-found',
    change(pool, (writer) => writer.find('a')),
  );
  assert.match(error.message, vg.name);
  await refused('lvm/vg-missing', 'not-found', pool.volumes(never));
  assert.equal(await opened.storage.pools(never), []);
});

test('a VG that was made anew under the same name is another pool', async () => {
  await using vg = await loopVg();
  const opened = await vg.open();
  const before = await opened.pool();
  await change(before, (writer) => writer.create(NEW));
  await vg.lvm('vgremove', '--yes', '--force', vg.name);
  await vg.lvm('vgcreate', vg.name, ...vg.devices);
  await refused('lvm/vg-missing', 'not-found', before.volumes(never));
  const after = await opened.pool();
  assert.equal(await after.volumes(never), []);
  await change(after, (writer) => writer.create(NEW));
});

test('the last of the metadata area is kept for extensions', async () => {
  await using vg = await loopVg({ sizes: [1024], create: ['--metadatasize', '1m'] });
  const pool = await (await vg.open()).pool();
  await change(pool, (writer) => writer.create(NEW));
  await fillMetadata(vg);
  const next = { ...NEW, name: 'b' };
  const error = await changesNothing(vg, 'lvm/metadata-full', 'exhausted', () =>
    change(pool, (writer) => writer.create(next)),
  );
  assert.match(error.hint ?? '', 'sltv pool create');
  assert.is((await change(pool, (writer) => writer.extend('a', 2n * EXTENT))).size, 2n * EXTENT);
});

test('a commit that the metadata area has no room for is refused', async () => {
  await using vg = await loopVg({ sizes: [1024], create: ['--metadatasize', '1m'] });
  const pool = await (await vg.open()).pool();
  await change(pool, (writer) => writer.create(NEW));
  await fillMetadata(vg);
  const long = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(1000, 'x'));
  await changesNothing(vg, 'lvm/metadata-full', 'exhausted', () =>
    change(pool, (writer) => writer.annotate('a', { add: { long } })),
  );
});

test('a commit that only some metadata areas have room for is no success', async () => {
  await using vg = await loopVg({ sizes: [512, 512], create: ['--metadatasize', '1m'] });
  await vg.lvm('vgextend', '--metadatasize', '16m', vg.name, vg.devices[1] ?? '');
  const pool = await (await vg.open()).pool();
  await change(pool, (writer) => writer.create(NEW));
  await fillMetadata(vg);
  const long = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(1000, 'x'));
  await refused(
    'lvm/metadata-full',
    'exhausted',
    change(pool, (writer) => writer.annotate('a', { add: { long } })),
  );
});

test('lvm that a process may not use, or that is too old: a sentence that says what to do', async () => {
  await using vg = await loopVg();
  const words: [string, Kind, string, RegExp][] = [
    ['lvm/no-permission', 'denied', `  ${vg.directory}/lock/V_${vg.name}:aux: open failed: Permission denied`, /root/],
    ['lvm/too-old', 'unsupported', `lvcreate: unrecognized option '--setautoactivation'`, /2\.03\.12/],
    ['lvm/in-use', 'busy', `  Logical volume ${vg.name}/a in use.`, /fuser/],
    ['lvm/in-use', 'busy', `  Logical volume ${vg.name}/a contains a filesystem in use.`, /fuser/],
  ];
  for (const [code, kind, said, hint] of words) {
    const fails = `case "$*" in lvcreate*) echo "${said}" >&2; exit 5;; esac; exec $LVM "$@"`;
    const pool = await (await vg.open({ env: await shim(vg.directory, fails) })).pool();
    const error = await refused(
      code,
      kind,
      change(pool, (writer) => writer.create(NEW)),
    );
    assert.match(error.hint ?? '', hint);
  }
});

test('a failure that has no name yet has lvm’s last words in its sentence, and all of them as its cause', async () => {
  await using vg = await loopVg();
  const fails = 'case "$*" in lvcreate*) printf "  first words\\n  last words\\n" >&2; exit 5;; esac; exec $LVM "$@"';
  const pool = await (await vg.open({ env: await shim(vg.directory, fails) })).pool();
  const error = await refused(
    'lvm/failed',
    'internal',
    change(pool, (writer) => writer.create(NEW)),
  );
  assert.is(error.message, `lvm lvcreate on volume group ${vg.name} failed: last words`);
  assert.match(String(error.cause), 'first words');
});

/** Leaves less than a sixteenth of what one commit may fill. */
async function fillMetadata(vg: LoopVg): Promise<void> {
  await vg.lvm('lvcreate', '-an', '-Zn', '-Wn', '-L4m', '-n', 'fat', vg.name);
  for (let room = await roomIn(vg); room > 64 * 1024; room = await roomIn(vg)) {
    const batch = Array.from({ length: Math.min(50, Math.floor((room - 40_000) / 1010)) }, () => [
      '--addtag',
      `${room}-${Math.random()}`.padEnd(1000, 'x'),
    ]);
    await vg.lvm('lvchange', ...batch.flat(), `${vg.name}/fat`);
  }
}

const roomIn = async (vg: LoopVg) =>
  Number((await vg.lvm('vgs', '--noheadings', '--units', 'b', '--nosuffix', '-o', 'vg_mda_free', vg.name)).trim());

test.run();
