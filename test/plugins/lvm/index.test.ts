import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { GenericSchema } from 'valibot';
import { safeParse } from 'valibot';
import lvm from '../../../plugins/lvm/index.ts';

/** What the kernel sees of the plugin. */
interface Definition {
  readonly name: string;
  readonly options: GenericSchema;
  readonly env: Readonly<Record<string, (word: string) => unknown>>;
}
// `definition` is opaque to a config; definePlugin has checked that it is one.
const definition = lvm().definition as Definition;

test('without options the pool is the VG vg-sltv', () => {
  assert.equal(safeParse(definition.options, {}).output, { vgs: ['vg-sltv'] });
});

test('SLTV_DEFAULT_VG names the VG', () => {
  assert.equal(definition.env.SLTV_DEFAULT_VG?.('vg0'), { vgs: ['vg0'] });
});

test('a misspelt option and a name that no VG can have are errors', () => {
  for (const given of [{ vg: ['vg0'] }, { vgs: 'vg0' }, { vgs: ['-f'] }, { vgs: ['a/b'] }, { vgs: [''] }]) {
    assert.not(safeParse(definition.options, given).success, JSON.stringify(given));
  }
});

test.run();
