import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GiB } from '../../../core/units.ts';
import { keepFree } from '../../../plugins/autoextend/keep-free.ts';
import { sample } from './samples.ts';

const settings = keepFree({ percent: 10, step: '10%' });

test('with a tenth free nothing is done but arming at nine tenths', () => {
  assert.equal(settings(sample({ fill: 9n * GiB - 1n })), { armAt: 9n * GiB });
});

test('with less than a tenth free it grows by a tenth', () => {
  assert.is(settings(sample({ fill: 9n * GiB })).extendTo, 11n * GiB);
});

test('a guest that ran ahead while nobody looked is caught up with in one go', () => {
  assert.is(keepFree({ percent: 50, step: '1G' })(sample({ fill: 10n * GiB })).extendTo, 21n * GiB);
});

test('what the operator says a disk grows by comes before the setting', () => {
  assert.is(settings(sample({ fill: 9n * GiB, step: 5n * GiB })).extendTo, 15n * GiB);
});

test('settings that mean nothing are refused where they are written', () => {
  for (const percent of [0, 100, 2.5, Number.NaN]) assert.throws(() => keepFree({ percent, step: '1G' }));
  for (const step of ['0%', '-1G', 'much']) assert.throws(() => keepFree({ percent: 10, step }));
});

test.run();
