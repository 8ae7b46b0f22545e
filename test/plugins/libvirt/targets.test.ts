import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { firstFree } from '../../../plugins/libvirt/targets.ts';

const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const all = letters.map((letter) => `vd${letter}`);

test('the first is vda', () => assert.is(firstFree([]), 'vda'));
test('a gap is filled', () => assert.is(firstFree(['vda', 'vdc', 'hdb']), 'vdb'));
test('after vdz comes vdaa', () => assert.is(firstFree(all), 'vdaa'));
test('after vdaz comes vdba', () => assert.is(firstFree([...all, ...letters.map((letter) => `vda${letter}`)]), 'vdba'));

test.run();
