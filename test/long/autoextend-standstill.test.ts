// Guests that stand still, for want of space or because somebody says so, and thin disks that can hardly grow.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { ask, succeed } from '../e2e/api.ts';
import type { Daemon } from '../testbed/daemon.ts';
import type { Guest } from '../testbed/index.ts';
import { type Bed, type Filling, makeBed } from './autoextend-bed.ts';

const test = suite('autoextend and standstills');
let bed: Bed;
let daemon: Daemon;
let web: Guest;
let steady: Filling;

async function timesSaid(words: string): Promise<number> {
  return (await daemon.log()).split(words).length - 1;
}

test.before(async () => {
  bed = await makeBed('autoextend-stands');
  daemon = await bed.start('looks');
  web = await bed.host.guest('web');
});

test.after(async () => {
  await bed?.host[Symbol.asyncDispose]();
});

test('a guest that ran full while no daemon was there runs on when there is one', async () => {
  const full = await bed.host.guest('full');
  const filled = await bed.give('vg-sltv/filled', full);
  await daemon.kill();
  const writing = filled.write(160);
  await bed.stands('full');
  daemon = await bed.start('looks');
  await writing;
  await bed.grown('vg-sltv/filled', 160n * MiB);
  await filled.isWhole();
  await full.destroy();
});

test('a VM that an operator paused stays paused', async () => {
  steady = await bed.give('vg-sltv/steady', web);
  const size = await steady.cross();
  await bed.host.run('virsh -q suspend web');
  await bed.grown('vg-sltv/steady', size);
  await succeed(bed.host, { method: 'ExtendDisk', body: { name: 'steady', deltaBytes: String(32n * MiB) } });
  await bed.looks(3);
  assert.is((await bed.host.run('virsh domstate --reason web')).stdout.trim(), 'paused (user)');
  await bed.host.run('virsh -q resume web');
  await steady.isWhole();
});

test('a guest gets the last of a full pool, then waits, and runs on when the pool has grown', async () => {
  const tight = await bed.host.guest('tight');
  const disk = await bed.give('tight/disk', tight);
  const writing = disk.write(200);
  await bed.stands('tight');
  await bed.until(`[ "$(vgs --noheadings -o vg_free_count tight | tr -d ' ')" = 0 ]`);
  await bed.looks(3);
  assert.is(await timesSaid('a pool is too full for its guests'), 1);
  assert.is(await tight.state(), 'paused');
  await bed.host.run('sltv pool extend tight /dev/vdc');
  await writing;
  await bed.grown('tight/disk', 200n * MiB);
  await disk.isWhole();
  assert.is(await timesSaid('a pool is too full for its guests'), 1);
  assert.is(await timesSaid('a pool has room for its guests again'), 1);
  await tight.destroy();
});

test('a disk grows where the metadata area is too full for a new one', async () => {
  const crowded = await bed.host.guest('crowded');
  const disk = await bed.give('crowded/disk', crowded);
  await bed.host.run(
    `lvcreate -q -an -Wn -Zn -l 1 -n ballast crowded
     room() { vgs --noheadings --nosuffix --units b -o "vg_mda_$1" crowded; }
     n=0; lacking() { echo $(( $(room free) - $(room size) / 32 )); }
     while left=$(lacking); [ $left -ge 0 ]; do
       first=$((n + 1)); n=$((n + left / 1000 + 1))
       lvchange -q $(printf ' --addtag x%0900d' $(seq $first $n)) crowded/ballast || exit 1
     done`,
    { timeout: 180_000 },
  );
  const refused = await ask(bed.host, {
    method: 'CreateDisk',
    body: { name: 'more', vg: 'crowded', sizeBytes: String(4n * MiB) },
  });
  assert.match(refused.text, 'lvm/metadata-full');
  await disk.outgrow();
  await disk.isWhole();
  await crowded.destroy();
});

test('nothing that was tried is an error in the daemon’s log', async () => {
  const { stdout } = await bed.host.run('grep \'"level":"error"\' /var/log/sltv.log || true');
  assert.is(stdout, '');
});

test('a policy that throws or answers nonsense is replaced by the default one, which is said once of each disk', async () => {
  await daemon.kill();
  daemon = await bed.start('broken');
  const thrown = await bed.give('vg-sltv/thrown', web);
  for (const each of [thrown, steady]) {
    const size = await bed.size(each.disk);
    // Its headroom is a quarter of what the guest sees.
    await each.write(140);
    await bed.grown(each.disk, size);
  }
  await bed.looks(3);
  for (const disk of [thrown, steady]) await disk.isWhole();
  const said = (await daemon.log()).split('\n').filter((line) => line.includes('the policy is not followed'));
  const of = (disk: string) => said.filter((line) => line.includes(disk));
  assert.is(of('vg-sltv/thrown').length, 1);
  assert.match(of('vg-sltv/thrown')[0] ?? '', /no idea/);
  assert.is(of('vg-sltv/steady').length, 1);
  assert.match(of('vg-sltv/steady')[0] ?? '', /it would shrink the volume/);
});

test.run();
