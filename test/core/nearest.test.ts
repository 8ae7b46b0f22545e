import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nearest } from '../../core/nearest.ts';

const KNOWN = ['vgs', 'listen', 'stateDir', 'SLTV_LOG_LEVEL', 'SLTV_LOG_FORMAT'];

for (const [word, meant] of [
  ['vgz', 'vgs'],
  ['lisetn', 'listen'],
  ['statedir', 'stateDir'],
  ['SLTV_LOGLEVEL', 'SLTV_LOG_LEVEL'],
  ['SLTV_LOG_FORMATS', 'SLTV_LOG_FORMAT'],
] as const) {
  test(`${word} was meant as ${meant}`, () => {
    assert.is(nearest(word, KNOWN), meant);
  });
}

test('a word that is like none has no nearest', () => {
  assert.is(nearest('potato', KNOWN), undefined);
  assert.is(nearest('vgs', []), undefined);
});

test.run();
