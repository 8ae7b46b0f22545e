import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createIdentityReader } from '../../../plugins/lvm/identity.ts';
import { loopVg } from './fixture.ts';

test('the identity stays the same until a commit, and then is another; the sequence is the VG’s', async () => {
  await using vg = await loopVg();
  const read = createIdentityReader();
  const first = await read(vg.devices);
  assert.equal(await read(vg.devices), first);
  await vg.lvm('lvs', vg.name);
  assert.equal(await read(vg.devices), first);
  await vg.lvm('vgchange', '--addtag', 'x', vg.name);
  const second = await read(vg.devices);
  assert.not.equal(second?.mark, first?.mark);
  assert.is(second?.sequence, (first?.sequence ?? 0) + 1);
  assert.is(second?.sequence, await vg.sequence());
});

test('a lost update has another identity, though its sequence is the same', async () => {
  await using vg = await loopVg();
  const read = createIdentityReader();
  const backup = `${vg.directory}/backup`;
  await vg.lvm('vgcfgbackup', '-f', backup, vg.name);
  await vg.lvm('vgchange', '--addtag', 'theirs', vg.name);
  const theirs = await read(vg.devices);
  await vg.lvm('vgcfgrestore', '-f', backup, vg.name);
  const ours = await read(vg.devices);
  assert.is(ours?.sequence, theirs?.sequence);
  assert.not.equal(ours?.mark, theirs?.mark);
});

test('a text’s ending names the command that wrote it, wherever in its area it lies', async () => {
  await using vg = await loopVg({ create: ['--metadatasize', '1m'] });
  const read = createIdentityReader({ withEndings: true });
  const long = Array.from({ length: 99 }, (_, index) => ['--addtag', `${index}`.padEnd(1000, 'x')]);
  await vg.lvm('vgchange', ...long.flat(), vg.name);
  // Each text is a tenth of the area, which is a ring: in three rounds, some go past its end.
  for (let n = 0; n < 30; n += 1) {
    const change = n % 2 === 0 ? '--addtag' : '--deltag';
    await vg.lvm('vgchange', '--config', `report { time_format="%s" } # word-${n}`, change, 'y', vg.name);
    const endings = (await read(vg.devices))?.endings ?? [];
    assert.equal(
      endings.map((ending) => ending.includes(`# word-${n}'`)),
      [true],
    );
  }
});

test('of several metadata areas all count', async () => {
  await using vg = await loopVg({ sizes: [64, 64] });
  const [first = '', second = ''] = vg.devices;
  await vg.lvm('vgextend', vg.name, second);
  const read = createIdentityReader();
  const both = await read([first, second]);
  assert.is(both?.sequence, await vg.sequence());
  assert.not.equal(both?.mark, (await read([first]))?.mark);
});

test('what can’t be read, or is no PV of a VG, has no identity', async () => {
  await using vg = await loopVg({ sizes: [64, 64] });
  const [pv = '', blank = ''] = vg.devices;
  const read = createIdentityReader();
  for (const devices of [[], ['/dev/nowhere'], [blank], [pv, blank], ['/dev/null'], [vg.directory]]) {
    assert.is(await read(devices), undefined, devices.join());
  }
  await vg.lvm('pvcreate', blank);
  assert.is(await read([blank]), undefined);
  assert.ok(await read([pv]));
});

test('reads at once do not disturb each other', async () => {
  await using vg = await loopVg();
  const read = createIdentityReader();
  const alone = await read(vg.devices);
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, n) => read(n % 5 === 0 ? ['/dev/nowhere'] : vg.devices)),
  );
  for (const [n, identity] of all.entries()) assert.equal(identity, n % 5 === 0 ? undefined : alone);
});

test.run();
