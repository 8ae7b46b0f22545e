import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { Hooks, Hypervisor } from '../../../core/capabilities/hypervisor.ts';
import { SltvError } from '../../../core/errors.ts';
import { definitionOf } from '../../../core/kernel/definition.ts';
import libvirt from '../../../plugins/libvirt/index.ts';
import { DIR_NODE } from '../../fixtures/dir-storage.ts';
import { bootOne } from '../../fixtures/one-plugin.ts';

const never = new AbortController().signal;

function definition() {
  const defined = definitionOf(libvirt());
  if (typeof defined === 'string') throw new Error(defined);
  return defined;
}

/** What the options come to, or what is wrong with them. */
function options(given: unknown): unknown {
  const schema = definition().options;
  if (!schema) throw new Error('the plugin has options');
  const read = v.safeParse(schema, given);
  return read.success ? read.output : v.flatten(read.issues).nested;
}

/** The plugin up, with a PATH of one directory, where a file says whether virsh was started. */
async function booted(files: Readonly<Record<string, string>>) {
  const directory = mkdtempSync(join(tmpdir(), 'libvirt-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text, { mode: 0o755 });
  const path = process.env.PATH;
  process.env.PATH = directory;
  const daemon = await bootOne(libvirt(), { ...DIR_NODE, runDir: directory });
  const hypervisor = daemon.provided(Hypervisor);
  if (!hypervisor) throw new Error('libvirt provides no hypervisor');
  return {
    daemon,
    hypervisor,
    wasAsked: () => existsSync(join(directory, 'virsh.asked')),
    async [Symbol.asyncDispose]() {
      await daemon.stop();
      process.env.PATH = path;
      rmSync(directory, { recursive: true });
    },
  };
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => (error instanceof SltvError ? error : undefined),
  );

test('booting it asks libvirt nothing', async () => {
  await using made = await booted({ virsh: '#!/bin/sh\n: > "$0.asked"\necho error: no >&2\nexit 1\n' });
  assert.equal(
    made.daemon.all(Hooks).map(({ name }) => name),
    ['qemu'],
  );
  assert.is(made.wasAsked(), false);
  await failureOf(made.hypervisor.vms(never));
  assert.is(made.wasAsked(), true, 'a question was seen');
});

test('without virsh every call is unavailable, and says what to install', async () => {
  await using made = await booted({});
  for (const call of [
    made.hypervisor.vms(never),
    made.hypervisor.find('a', never),
    made.hypervisor.statistics(never),
  ]) {
    const error = await failureOf(call);
    assert.is(error?.kind, 'unavailable');
    assert.match(error?.hint ?? '', 'libvirt-clients');
  }
});

test('without options it is the system’s libvirt', () => {
  assert.equal(options({}), {
    uri: 'qemu:///system',
    deadlines: { read: 10_000, change: 15_000, statistics: 5_000, alone: 2_000 },
  });
});

test('SLTV_LIBVIRT_URI says which libvirt', () => {
  assert.equal(definition().env?.SLTV_LIBVIRT_URI?.('test:///default'), { uri: 'test:///default' });
});

for (const [what, given, path] of [
  ['a misspelt option', { url: 'qemu:///system' }, 'url'],
  ['a uri that is none', { uri: 'localhost' }, 'uri'],
  ['a uri that virsh would take for two words', { uri: 'qemu:///system; destroy' }, 'uri'],
  ['a deadline of nothing', { deadlines: { read: 0 } }, 'deadlines.read'],
  ['a deadline in words', { deadlines: { read: '10s' } }, 'deadlines.read'],
  ['a misspelt deadline', { deadlines: { write: 1 } }, 'deadlines.write'],
] as const) {
  test(`${what} is an error with its path`, () => {
    assert.equal(Object.keys(options(given) ?? {}), [path]);
  });
}

test.run();
