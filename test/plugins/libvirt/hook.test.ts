import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createHook } from '../../../plugins/libvirt/hook.ts';
import { loadXml } from '../../../plugins/libvirt/xml.ts';
import { recorded, WEB } from '../../fixtures/virsh/recorded.ts';

const hook = createHook(await loadXml());
const read = (args: string, file = `hook/${args.split(' ').slice(1, 3).join('-')}.xml`) =>
  hook.read(args.split(' '), recorded(file));

test('before a start it tells the VM and what it is about to open', () => {
  assert.equal(read('web prepare begin -'), {
    vm: { uuid: WEB, name: 'web' },
    step: 'starting',
    paths: ['/dev/vg0/web'],
  });
});

test('after the end it tells the VM', () => {
  assert.is(read('7 release end -')?.step, 'stopped');
  assert.equal(read('7 release end -')?.paths, []);
  assert.is(read('7 release end -')?.vm.name, '7');
});

test('every other moment is none of its business', () => {
  const calls = recorded('hook/calls.txt').trim().split('\n');
  const others = calls.filter((call) => !/ (prepare begin|release end) /.test(call));
  assert.ok(others.length > 10, 'the calls were recorded');
  for (const call of others) assert.is(read(call), undefined, call);
  for (const args of [[], ['web'], ['web', 'migrate', 'begin', '-'], ['web', 'constructor', '']]) {
    assert.is(hook.read(args, ''), undefined);
  }
});

test('a call that concerns it and has no XML is an error, so that nothing starts without its disks', () => {
  assert.throws(() => hook.read(['web', 'prepare', 'begin', '-'], ''), /not as expected/);
});

test('the script starts an executable in any directory with all words, at those moments only', async () => {
  const directory = await mkdtemp(join(tmpdir(), "sltv-it's-"));
  const executable = join(directory, 'sltv');
  await writeFile(executable, '#!/bin/sh\nprintf "%s|" "$@"; cat\n', { mode: 0o755 });
  const { path, text } = hook.script(executable);
  assert.is(path, '/etc/libvirt/hooks/qemu.d/sltv');
  const call = async (...words: string[]) =>
    (await execa('sh', ['-c', text, 'sltv', ...words], { input: 'XML' })).stdout;
  try {
    assert.is(await call('a b', 'prepare', 'begin', '-'), 'hook|qemu|--|a b|prepare|begin|-|XML');
    assert.is(await call('web', 'release', 'end', '-'), 'hook|qemu|--|web|release|end|-|XML');
    assert.is(await call('web', 'start', 'begin', '-'), '');
    assert.is(await call('web', 'migrate', 'begin', 'qemu+ssh://other/system'), '');
  } finally {
    await rm(directory, { recursive: true });
  }
});

test.run();
