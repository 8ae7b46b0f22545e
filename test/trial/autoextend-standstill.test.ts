// Guests that stand still, for want of space or because somebody says so, and thin disks that can hardly grow.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { ask, succeed } from '../e2e/api.ts';
import type { Daemon } from '../testbed/daemon.ts';
import type { Guest } from '../testbed/index.ts';
import { type Bed, makeBed } from './autoextend-bed.ts';

const test = suite('autoextend and standstills');
let bed: Bed;
let daemon: Daemon;
let web: Guest;

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
  const target = await bed.give('vg-sltv/filled', 'full');
  await daemon.kill();
  const writing = full.write('160M', { disk: target, mark: 10, timeout: 180_000 });
  await bed.stands('full');
  daemon = await bed.start('looks');
  await writing;
  await full.verify('160M', { disk: target, mark: 10 });
  await bed.grown('vg-sltv/filled', 160);
  assert.is(await full.state(), 'running');
  await bed.isClean('vg-sltv/filled');
  await full.destroy();
});

test('a VM that an operator paused stays paused', async () => {
  const target = await bed.give('vg-sltv/paused', 'web');
  await web.write('40M', { disk: target, mark: 14 });
  await bed.host.run('virsh -q suspend web');
  await bed.grown('vg-sltv/paused', 64);
  await succeed(bed.host, { method: 'ExtendDisk', body: { name: 'paused', deltaBytes: String(32n * MiB) } });
  await bed.looks(4);
  assert.is((await bed.host.run('virsh domstate --reason web')).stdout.trim(), 'paused (user)');
  await bed.host.run('virsh -q resume web');
  await web.verify('40M', { disk: target, mark: 14 });
  await bed.isClean('vg-sltv/paused');
});

test('a guest gets the last of a full pool, then waits, and runs on when the pool has grown', async () => {
  const tight = await bed.host.guest('tight');
  const target = await bed.give('tight/disk', 'tight');
  const writing = tight.write('200M', { disk: target, mark: 15, timeout: 240_000 });
  await bed.until(
    `virsh domstate --reason tight | grep -q 'paused (I/O error)' && [ "$(vgs --noheadings -o vg_free_count tight | tr -d ' ')" = 0 ]`,
  );
  await bed.looks(5);
  assert.is(await timesSaid('a pool is too full for its guests'), 1);
  assert.is(await tight.state(), 'paused');
  await bed.host.run('sltv pool extend tight /dev/vdc');
  await writing;
  await tight.verify('200M', { disk: target, mark: 15 });
  await bed.grown('tight/disk', 200);
  assert.is(await tight.state(), 'running');
  assert.is(await timesSaid('a pool is too full for its guests'), 1);
  assert.is(await timesSaid('a pool has room for its guests again'), 1);
  await bed.isClean('tight/disk');
  await tight.destroy();
});

test('a disk grows where the metadata area is too full for a new one', async () => {
  const crowded = await bed.host.guest('crowded');
  const target = await bed.give('crowded/disk', 'crowded');
  await bed.host.run(
    `lvcreate -q -an -Wn -Zn -l 1 -n ballast crowded
     room() { vgs --noheadings --nosuffix --units b -o "vg_mda_$1" crowded; }
     tag() { printf ' --addtag x%0900d' $1; }
     n=20; lvchange -q $(for i in $(seq $n); do tag $i; done) crowded/ballast
     while [ $(( $(room free) * 32 )) -ge $(room size) ]; do
       n=$((n+1)); lvchange -q $(tag $n) crowded/ballast || exit 1
     done`,
    { timeout: 180_000 },
  );
  const refused = await ask(bed.host, {
    method: 'CreateDisk',
    body: { name: 'more', vg: 'crowded', sizeBytes: String(4n * MiB) },
  });
  assert.match(refused.text, 'lvm/metadata-full');
  await crowded.write('48M', { disk: target, mark: 16 });
  await bed.grown('crowded/disk', 64);
  await crowded.verify('48M', { disk: target, mark: 16 });
  await bed.isClean('crowded/disk');
  await crowded.destroy();
});

test('nothing that was tried is an error in the daemon’s log', async () => {
  const { stdout } = await bed.host.run('grep \'"level":"error"\' /var/log/sltv.log || true');
  assert.is(stdout, '');
});

test('a policy that throws is replaced by the default one, which is said once', async () => {
  await daemon.kill();
  daemon = await bed.start('broken');
  const target = await bed.give('vg-sltv/unruly', 'web');
  await web.write('48M', { disk: target, mark: 17 });
  await bed.grown('vg-sltv/unruly', 64);
  await bed.looks(4);
  await web.verify('48M', { disk: target, mark: 17 });
  const said = (await daemon.log()).split('\n').filter((line) => line.includes('the policy is not followed'));
  assert.is(said.filter((line) => line.includes('vg-sltv/unruly')).length, 1);
  assert.match(said.at(-1) ?? '', /no idea/);
  await bed.isClean('vg-sltv/unruly');
});

test.run();
