// What can go wrong between us and libvirt, and what virsh's words mean.
import { errors, SltvError } from 'sltv';

export const fail = errors('libvirt', {
  unreachable: 'unavailable',
  'no-answer': 'timeout',
  'vm-missing': 'not-found',
  'vm-off': 'refused',
  'vm-runs': 'refused',
  'target-in-use': 'refused',
  'target-missing': 'not-found',
  'target-empty': 'refused',
  'already-attached': 'refused',
  'no-slot': 'exhausted',
  'source-in-use': 'refused',
  'read-only': 'refused',
  'source-unreadable': 'refused',
  'device-missing': 'not-found',
  'device-leaving': 'busy',
  'bad-answer': 'internal',
  failed: 'internal',
});

export type Code = keyof typeof fail.codes;

/** Whether it is one of our own errors, with one of these codes. */
export const isCode = (error: unknown, ...codes: readonly Code[]): boolean =>
  error instanceof SltvError && codes.some((code) => error.code === `libvirt/${code}`);

export const missingVm = (vm: string, cause?: unknown) =>
  fail('vm-missing', `libvirt on this host has no VM ${vm}`, { hint: 'virsh list --all', cause });

/** What virsh complained of (its stderr), in our words where its meaning is known. `uri` is whom it talked to. */
export function inOurWords(stderr: string, uri: string): SltvError {
  const lines = stderr.split('\n').filter((line) => line.startsWith('error: '));
  const words = lines.map((line) => line.slice('error: '.length)).join(': ') || stderr.trim();
  const known = MEANINGS.find(({ pattern }) => pattern.test(words));
  const { code, sentence, hint } = known?.means(uri) ?? {
    code: 'failed',
    sentence: 'libvirt could not do it',
    hint: undefined,
  };
  // A sentence that has libvirt's own reason in it needs no second look at the log.
  return fail(code, words === '' ? sentence : `${sentence}: ${words}`, { hint, cause: stderr });
}

interface Meaning {
  readonly code: Code;
  readonly sentence: string;
  readonly hint?: string;
}

/** The first that matches counts. As libvirt 9.0 says them; libvirt's errors have no numbers in virsh. */
const MEANINGS: readonly { readonly pattern: RegExp; readonly means: (uri: string) => Meaning }[] = [
  {
    pattern: /failed to connect to the hypervisor|client socket is closed|Disconnected from|Cannot recv data/,
    means: (uri) => ({
      code: 'unreachable',
      sentence: `libvirt does not answer at ${uri}`,
      hint: 'systemctl start libvirtd, or give its address with SLTV_LIBVIRT_URI',
    }),
  },
  {
    pattern: /failed to get domain|Domain not found/,
    means: () => ({ code: 'vm-missing', sentence: 'libvirt on this host has no such VM', hint: 'virsh list --all' }),
  },
  {
    pattern: /cannot acquire state change lock/,
    means: () => ({ code: 'no-answer', sentence: 'the VM is busy with another call', hint: 'virsh domjobinfo VM' }),
  },
  {
    pattern: /domain is not running/,
    means: () => ({ code: 'vm-off', sentence: 'the VM is off', hint: 'start the VM first' }),
  },
  {
    pattern: /domain is already running/,
    means: () => ({ code: 'vm-runs', sentence: 'the VM runs already' }),
  },
  {
    pattern: /target \S+ already exists/,
    means: () => ({
      code: 'target-in-use',
      sentence: 'the VM has another disk there',
      hint: 'leave --target out and a free one is chosen',
    }),
  },
  {
    pattern: /No more available PCI slots/,
    means: () => ({
      code: 'no-slot',
      sentence: 'the running VM has no slot left for another disk',
      hint: "add <controller type='pci' model='pcie-root-port'/> to the VM (virsh edit) and restart it",
    }),
  },
  {
    pattern: /can't resize empty or readonly disk/,
    means: () => ({
      code: 'read-only',
      sentence: 'the running VM may only read the disk, so its size there is fixed',
      hint: 'detach it, resize it, and attach it again; or stop the VM first',
    }),
  },
  {
    pattern: /Failed to get "\w+" lock/,
    means: () => ({ code: 'source-in-use', sentence: 'another VM or program has the disk open' }),
  },
  {
    pattern: /Cannot access storage file|Could not open/,
    means: () => ({ code: 'source-unreadable', sentence: 'QEMU cannot open the disk' }),
  },
  {
    pattern: /disk '\S+' was not found in the domain config|invalid argument: invalid path/,
    means: () => ({ code: 'target-missing', sentence: 'the VM has no such disk' }),
  },
  {
    pattern: /failed to find disk '/,
    means: () => ({ code: 'target-empty', sentence: 'the running VM has no disk there' }),
  },
  {
    pattern: /no device found with alias|No disk found whose source path or target is/,
    means: () => ({ code: 'device-missing', sentence: 'the VM has that device no more' }),
  },
  {
    pattern: /already in the process of unplug/,
    means: () => ({ code: 'device-leaving', sentence: 'the guest has been asked for the device already' }),
  },
];
