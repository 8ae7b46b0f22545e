import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeOf, objectionTo, VG_NAME } from '../../../plugins/lvm/names.ts';
import { loopVg } from './fixture.ts';

const execute = promisify(execFile);

const FINE = ['a', 'web01-data', 'db_2024.old', '+1', '_x', 'Snapshot', 'my_snapshot', 'x'.repeat(63), 'a.1', '0'];
const RESERVED = [
  ...['snapshot', 'snapshot1', 'pvmove', 'pvmove0', 'x_tdata', 'x_tmeta', 'x_cdata', 'x_cmeta', 'x_corig', 'x_mlog'],
  ...['x_mimage_0', 'x_rimage_0', 'x_rmeta_0', 'x_pmspare', 'x_vorigin', 'x_vdata', 'x_cvol', 'x_cpool', 'x_imeta'],
  ...['x_iorig', 'x_wcorig'],
];
const IMPOSSIBLE = ['', '.', '..', '-a', 'a/b', 'a b', 'ü', 'a\0b', 'a@b'];

test('names that LVM can have are not objected to', () => {
  for (const name of FINE) assert.is(objectionTo('vg0', name), undefined, name);
});

test('names that LVM can’t have, or keeps for itself, are objected to in a sentence', () => {
  for (const name of [...RESERVED, ...IMPOSSIBLE]) assert.match(objectionTo('vg0', name) ?? '', /\S \S/, name);
});

test('lvm itself takes the names that we take, and refuses those that we refuse', async () => {
  await using vg = await loopVg();
  const make = (name: string) =>
    execute('lvm', ['lvcreate', '-an', '-Zn', '-Wn', '-L4m', '-n', name, vg.name], {
      env: { ...process.env, ...vg.env },
    });
  for (const name of FINE) await make(name);
  for (const name of [...RESERVED, ...IMPOSSIBLE.filter((word) => !word.includes('\0'))]) {
    assert.ok(
      await make(name).then(
        () => false,
        () => true,
      ),
      `lvm made a volume '${name}'`,
    );
  }
});

test('a name whose device could not be made is objected to: 127 characters in all, hyphens twice, room for a suffix', () => {
  const vg = 'vg-x'; // vg--x- are six characters
  const longest = 127 - 6 - '.999-real'.length;
  assert.is(objectionTo(vg, 'x'.repeat(longest)), undefined);
  assert.match(objectionTo(vg, 'x'.repeat(longest + 1)) ?? '', /too long .* by 1 /);
  assert.match(objectionTo(vg, `${'x'.repeat(longest - 1)}-`) ?? '', /by 1 /);
  assert.match(objectionTo(vg, 'x'.repeat(200)) ?? '', /too long/);
});

test('the device’s node has the hyphens of both names doubled', () => {
  assert.is(nodeOf('vg-sltv', 'web-01'), '/dev/mapper/vg--sltv-web--01');
});

test('a volume group has a name that lvm takes', () => {
  for (const name of ['vg-sltv', 'vg0', '_', '.x', 'a+b']) assert.match(name, VG_NAME);
  for (const name of ['', '.', '..', '-vg', 'a/b', 'a b', 'x'.repeat(128)]) assert.not.match(name, VG_NAME);
});

test.run();
