import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SltvError } from '../../../core/errors.ts';
import { arm } from '../../../plugins/libvirt/arm.ts';
import { createVirsh } from '../../../plugins/libvirt/virsh.ts';
import { recordedErrors, WEB } from '../../fixtures/virsh/recorded.ts';
import { type Said, stubRunner } from './stubs.ts';

const patience = { signal: new AbortController().signal, deadline: 1_000 };

function armer(answer: () => Said = () => '\n') {
  const { run, asked } = stubRunner(answer);
  const virsh = createVirsh(run, 'qemu:///system');
  return { asked, arm: (...thresholds: Parameters<typeof arm>[2]) => arm(virsh, WEB, thresholds, patience) };
}

test('all thresholds of a VM are armed in one process, in bytes', async () => {
  const { asked, arm } = armer();
  await arm({ target: 'vda', offset: 33554432n }, { target: 'vdb', offset: 10_739_318_784n });
  assert.equal(asked, [
    [
      'virsh',
      '--connect=qemu:///system',
      `domblkthreshold --domain=${WEB} --dev=vda --threshold=33554432; ` +
        `domblkthreshold --domain=${WEB} --dev=vdb --threshold=10739318784`,
    ],
  ]);
});

test('where there is nothing to arm nothing is started', async () => {
  const { asked, arm } = armer();
  await arm();
  assert.equal(asked, []);
});

test('a target that is missing is told, though virsh ends well', async () => {
  const stderr = recordedErrors().get('arm-target-missing') ?? '';
  const { arm } = armer(() => ({ stdout: '\n', stderr, code: 0 }));
  const error = await arm({ target: 'vdq', offset: 1n }, { target: 'vda', offset: 1n }).catch((thrown) => thrown);
  assert.is(error instanceof SltvError && error.code, 'libvirt/target-empty');
  assert.match(error.message, "the running VM has no disk there: invalid argument: failed to find disk 'vdq'");
});

test.run();
