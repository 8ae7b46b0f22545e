import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GiB } from '../../../core/units.ts';
import { notesFor, settingsOf } from '../../../plugins/autoextend/settings.ts';

/** What the storage has after these notes were kept. */
const kept = (notes: Readonly<Record<string, string | undefined>>) => ({
  settings: Object.fromEntries(
    Object.entries(notes).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  ),
});

test('what was set is read back, and nothing set means as all others', () => {
  for (const settings of [
    { isOff: false, step: 20n * GiB },
    { isOff: true, step: undefined },
    { isOff: false, step: undefined },
  ]) {
    assert.equal(settingsOf(kept(notesFor(settings))), settings);
  }
  assert.equal(settingsOf({ settings: {} }), { isOff: false, step: undefined });
});

test('a step that a hand mistyped counts as none', () => {
  for (const word of ['', '0', 'much', '-5']) {
    assert.is(settingsOf({ settings: { 'autoextend.step': word } }).step, undefined);
  }
});

test.run();
