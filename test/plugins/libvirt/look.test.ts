import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLook, merged } from '../../../plugins/libvirt/look.ts';
import type { Virsh } from '../../../plugins/libvirt/virsh.ts';
import { loadXml } from '../../../plugins/libvirt/xml.ts';
import { recorded, WEB } from '../../fixtures/virsh/recorded.ts';

const xml = await loadXml();
const patience = { signal: new AbortController().signal, deadline: 1_000 };
const seen = (text: string) => createLook(async () => text, xml)(WEB, patience);
const short = async (text: string) =>
  merged(await seen(text)).map(({ target, path, live, persistent }) => [target, path, live, persistent]);

test('disks now and at the next start are merged by target', async () => {
  assert.equal(await short(recorded('look-running.txt')), [
    ['vda', '/dev/vg0/web', true, true],
    ['vdb', '/dev/vg0/two', true, true],
    ['vdc', '/dev/vg0/four', false, true],
  ]);
});

test('a disk that only the running VM has is seen as that', async () => {
  assert.equal(await short(recorded('look-half.txt')), [
    ['vda', '/dev/vg0/web', true, true],
    ['vdb', '/dev/vg0/two', true, false],
  ]);
});

test('a VM that is off has no live disks', async () => {
  const { isRunning, isPersistent, live } = await seen(recorded('look-off.txt'));
  assert.equal([isRunning, isPersistent, live], [false, true, []]);
});

test('a transient VM has no persistent disks, though libvirt prints a definition', async () => {
  const sight = await seen(recorded('look-transient.txt'));
  assert.equal([sight.isRunning, sight.isPersistent], [true, false]);
  assert.equal(
    merged(sight).map(({ live, persistent }) => [live, persistent]),
    [[true, false]],
  );
});

test('a target with another source now than at the next start is two disks, so that none is taken for free', async () => {
  const text = recorded('look-running.txt').replace(/(.*)\/dev\/vg0\/two/s, '$1/dev/vg0/other');
  assert.equal(
    (await short(text)).filter(([target]) => target === 'vdb'),
    [
      ['vdb', '/dev/vg0/two', true, false],
      ['vdb', '/dev/vg0/other', false, true],
    ],
  );
});

test('a description that looks like virsh speaking is not believed', async () => {
  const text = recorded('look-running.txt').replaceAll(
    '<memory ',
    '<description>\nPersistent:     no\n</description><memory ',
  );
  assert.is((await seen(text)).isPersistent, true);
});

test('only a uuid is ever spoken of to virsh', async () => {
  const virsh: Virsh = () => Promise.reject(new Error('virsh was asked'));
  for (const word of ['7', 'web', '--all', '', `${WEB}; destroy web`]) {
    const error = await createLook(virsh, xml)(word, patience).catch((thrown: { code?: string }) => thrown);
    assert.is('code' in error && error.code, 'libvirt/vm-missing', word);
  }
});

test('an answer without XML is an error', async () => {
  const error = await seen(recorded('info-running.txt')).catch((thrown: { code?: string }) => thrown);
  assert.is('code' in error && error.code, 'libvirt/bad-answer');
});

test.run();
