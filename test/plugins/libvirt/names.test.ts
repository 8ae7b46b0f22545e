import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createNames } from '../../../plugins/libvirt/names.ts';
import { createVirsh } from '../../../plugins/libvirt/virsh.ts';
import { findVm } from '../../../plugins/libvirt/vms.ts';
import { recorded, recordedErrors, uuid, WEB } from '../../fixtures/virsh/recorded.ts';
import { stubRunner } from './stubs.ts';

const never = new AbortController().signal;

/** A libvirt with the recorded VMs, whose `web` runs as number 7. */
function recordedNames() {
  const { run, asked } = stubRunner((line) => {
    if (line.includes('list')) return recorded('vms.txt');
    if (line === 'dominfo --domain=web' || line === 'dominfo --domain=7') return recorded('info-running.txt');
    return { stdout: '', stderr: recordedErrors().get('vm-missing') ?? '', code: 1 };
  });
  const virsh = createVirsh(run, 'qemu:///system');
  return { virsh, names: createNames(virsh, 1_000), asked };
}

test('a name is asked for once', async () => {
  const { names, asked } = recordedNames();
  assert.is(await names.uuidOf('web', never), WEB);
  assert.is(await names.uuidOf('web', never), WEB);
  assert.is(asked.length, 1);
});

test('a name that was forgotten is asked for again', async () => {
  const { names, asked } = recordedNames();
  await names.uuidOf('web', never);
  names.forget('web');
  await names.uuidOf('web', never);
  assert.is(asked.length, 2);
});

test('a name that is nobody’s is none', async () => {
  assert.is(await recordedNames().names.uuidOf('nobody', never), undefined);
});

test('a name of digits is not taken for the number of a running VM', async () => {
  const { virsh, names } = recordedNames();
  assert.is(await names.uuidOf('7', never), uuid(3));
  const found = await findVm(virsh, names, '7', { signal: never, deadline: 1_000 });
  assert.equal(found, { uuid: uuid(3), name: '7', state: 'off' });
});

test.run();
