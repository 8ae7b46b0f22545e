import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SltvError } from '../../../core/errors.ts';
import { createVirsh } from '../../../plugins/libvirt/virsh.ts';
import { recorded, recordedErrors } from '../../fixtures/virsh/recorded.ts';
import { stubRunner } from './stubs.ts';

const never = new AbortController().signal;
const patience = { signal: never, deadline: 1_000 };

const failureOf = async (promise: Promise<unknown>): Promise<SltvError> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SltvError) return error;
  throw new Error(`expected an SltvError, not ${error}`);
};

test('several commands are one process over one connection', async () => {
  const { run, asked } = stubRunner(() => recorded('vms.txt'));
  const virsh = createVirsh(run, 'qemu:///system');
  assert.is(
    await virsh(
      [
        ['domstats', '--state'],
        ['list', '--all'],
      ],
      patience,
    ),
    recorded('vms.txt'),
  );
  assert.equal(asked, [['virsh', '--connect=qemu:///system', 'domstats --state; list --all']]);
});

test('a word stays one word, whatever is in it', async () => {
  const { run, asked } = stubRunner(() => '');
  await createVirsh(run, 'qemu:///system')([['dominfo', `--domain=it's; "a" \\ #1`]], patience);
  assert.is(asked[0]?.[2], `dominfo '--domain=it'\\''s; "a" \\ #1'`);
});

test('a complaint of any of the commands is a failure, though the last went well', async () => {
  const { run } = stubRunner(() => ({ stdout: 'fine', stderr: recordedErrors().get('vm-missing') ?? '', code: 0 }));
  assert.is((await failureOf(createVirsh(run, 'qemu:///system')([['list']], patience))).code, 'libvirt/vm-missing');
});

test('a warning is none', async () => {
  const { run } = stubRunner(() => ({ stdout: 'fine', stderr: 'warning: something\n', code: 0 }));
  assert.is(await createVirsh(run, 'qemu:///system')([['list']], patience), 'fine');
});

test('without a libvirtd every call is unavailable, with a hint', async () => {
  const { run } = stubRunner(() => ({ stdout: '', stderr: recordedErrors().get('down') ?? '', code: 1 }));
  const { kind, hint } = await failureOf(createVirsh(run, 'qemu:///system')([['list']], patience));
  assert.is(kind, 'unavailable');
  assert.match(hint ?? '', 'systemctl start libvirtd');
});

test('a call that is not answered ends with its deadline, and says what was asked', async () => {
  const { run } = stubRunner(() => new SltvError('timeout', 'core/timeout', 'killed'));
  const { kind, code, message } = await failureOf(
    createVirsh(run, 'qemu:///system')([['list'], ['dominfo']], patience),
  );
  assert.equal([kind, code], ['timeout', 'libvirt/no-answer']);
  assert.match(message, 'within 1 s (list, dominfo)');
});

test('what the runner throws otherwise is left as it is', async () => {
  const missing = new SltvError('unavailable', 'core/no-tool', 'virsh could not be started');
  const { run } = stubRunner(() => missing);
  assert.is(await failureOf(createVirsh(run, 'qemu:///system')([['list']], patience)), missing);
});

test.run();
