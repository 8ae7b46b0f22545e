import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { inOurWords } from '../../../plugins/libvirt/errors.ts';
import { recordedErrors } from '../../fixtures/virsh/recorded.ts';

/** What each recorded complaint means. */
const MEANT: Readonly<Record<string, string>> = {
  'alias-missing': 'not-found libvirt/device-missing',
  'alias-vm-off': 'refused libvirt/vm-off',
  'arm-target-missing': 'refused libvirt/target-empty',
  'arm-vm-off': 'refused libvirt/vm-off',
  'destroy-vm-off': 'refused libvirt/vm-off',
  'detach-missing': 'not-found libvirt/device-missing',
  down: 'unavailable libvirt/unreachable',
  'errors-vm-off': 'refused libvirt/vm-off',
  'no-slot': 'exhausted libvirt/no-slot',
  'not-permitted': 'unavailable libvirt/unreachable',
  'resize-target-missing': 'not-found libvirt/target-missing',
  'resize-vm-off': 'refused libvirt/vm-off',
  'resume-running': 'refused libvirt/vm-runs',
  'resume-vm-off': 'refused libvirt/vm-off',
  'source-in-use': 'refused libvirt/source-in-use',
  'source-unreadable': 'refused libvirt/source-unreadable',
  'start-refused': 'internal libvirt/failed',
  'target-in-use': 'refused libvirt/target-in-use',
  transient: 'internal libvirt/failed',
  'vm-missing': 'not-found libvirt/vm-missing',
  'vm-off': 'refused libvirt/vm-off',
};

test('every recorded complaint has its meaning', () => {
  const meant = [...recordedErrors()].map(([name, stderr]) => {
    const { kind, code } = inOurWords(stderr, 'qemu:///system');
    return [name, `${kind} ${code}`];
  });
  assert.equal(Object.fromEntries(meant), MEANT);
});

test("libvirt's own words stand in the sentence, without its decoration", () => {
  const { message } = inOurWords(recordedErrors().get('source-unreadable') ?? '', 'qemu:///system');
  assert.is(
    message,
    "QEMU cannot open the disk: Failed to attach device from /dev/stdin: Cannot access storage file '/dev/vg0/none': No such file or directory",
  );
});

test('who cannot be reached is named, and what to do', () => {
  const { message, hint } = inOurWords(recordedErrors().get('down') ?? '', 'qemu:///session');
  assert.match(message, 'libvirt does not answer at qemu:///session');
  assert.match(hint ?? '', 'systemctl start libvirtd');
});

test('a virsh that ends without a word is an error with a sentence', () => {
  assert.is(inOurWords('', 'qemu:///system').message, 'libvirt could not do it');
  assert.is(inOurWords('Killed\n', 'qemu:///system').message, 'libvirt could not do it: Killed');
});

test.run();
