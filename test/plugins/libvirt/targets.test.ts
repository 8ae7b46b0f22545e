import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { firstFree, objectsToTarget } from '../../../plugins/libvirt/targets.ts';

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

test.run();
