import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { firstFree, objectsToTarget, targetCalled } from '../../../plugins/libvirt/targets.ts';

const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const all = letters.map((letter) => `vd${letter}`);

test('the first is vda', () => assert.is(firstFree([]), 'vda'));
test('a gap is filled', () => assert.is(firstFree(['vda', 'vdc', 'hdb']), 'vdb'));
test('after vdz comes vdaa', () => assert.is(firstFree(all), 'vdaa'));
test('after vdaz comes vdba', () => assert.is(firstFree([...all, ...letters.map((letter) => `vda${letter}`)]), 'vdba'));

test('what is called otherwise than a virtio disk is no target, and the nearest is named', () => {
  assert.equal(['vda', 'vdaa', 'vdzzz'].map(objectsToTarget), [undefined, undefined, undefined]);
  for (const word of ['sdb', 'foo', '', 'vd', 'vdB', '/dev/sdb'])
    assert.is(objectsToTarget(word), 'it is a word such as vdb');
  assert.is(objectsToTarget('/dev/vdc'), 'it is a word such as vdc');
});

test('a virtio device says by its name where it is, and no other does', () => {
  const names = ['virtio-disk0', 'virtio-disk25', 'virtio-disk26', 'virtio-disk701', 'virtio-disk702'];
  assert.equal(names.map(targetCalled), ['vda', 'vdz', 'vdaa', 'vdzz', 'vdaaa']);
  for (const name of ['ide0-0-0', 'scsi0-0-0-1', 'ua-virtio-disk0', 'virtio-disk', 'virtio-disk-1', ''])
    assert.is(targetCalled(name), undefined);
});

test.run();
