import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SltvError } from '../../../core/errors.ts';
import { createLog } from '../../../core/log.ts';
import { createNames } from '../../../plugins/libvirt/names.ts';
import { readStatistics } from '../../../plugins/libvirt/statistics.ts';
import { createVirsh } from '../../../plugins/libvirt/virsh.ts';
import { recorded, uuid, WEB } from '../../fixtures/virsh/recorded.ts';
import { type Said, stubRunner } from './stubs.ts';

const never = new AbortController().signal;
const log = createLog({ level: 'error', format: 'text', write: () => {} });
const HUNG = new SltvError('timeout', 'core/timeout', 'killed');
const DOWN = { stdout: '', stderr: recorded('errors/down.txt'), code: 1 };

/** One VM's paragraph of a recorded answer, as if it had been asked alone. */
const alone = (file: string, name: string) =>
  recorded(file)
    .split(/^(?=Domain: ')/m)
    .find((part) => part.includes(`'${name}'`)) ?? '';
const isAboutAll = (line: string) => line.includes('--list-active');

function counting(answer: (line: string) => Said) {
  const { run, asked } = stubRunner(answer);
  const virsh = createVirsh(run, 'qemu:///system');
  const names = createNames(virsh, 1_000);
  const whole = (signal = never) =>
    readStatistics({ virsh, names, log, deadlines: { statistics: 1_000, alone: 1_000 } }, signal);
  const read = async (signal = never) => (await whole(signal)).map(({ vm, target }) => `${vm} ${target}`);
  return { read, whole, names, asked };
}

test('all VMs are asked in one process, by name, and told by uuid', async () => {
  const { read, asked } = counting(() => recorded('statistics.txt'));
  assert.equal((await read()).toSorted(), [`${WEB} vda`, `${uuid(3)} vda`].toSorted());
  assert.is(asked.length, 1);
});

test('a VM that is busy is asked alone, and told when it answers', async () => {
  const { read, asked } = counting((line) =>
    isAboutAll(line) ? recorded('statistics-busy.txt') : alone('statistics.txt', '7'),
  );
  assert.equal((await read()).toSorted(), [`${WEB} vda`, `${uuid(3)} vda`].toSorted());
  assert.is(asked.length, 2);
  assert.match(asked[1]?.at(-1) ?? '', uuid(3));
});

test('a VM that answers alone says what is armed and why it stands still, as all do', async () => {
  for (const [file, threshold, stopped] of [
    ['statistics-armed.txt', 33554432n, undefined],
    ['statistics-full.txt', undefined, 'io-error'],
  ] as const) {
    for (const isAlone of [false, true]) {
      const { whole, names } = counting((line) =>
        !isAboutAll(line) ? alone(file, 'web') : isAlone ? HUNG : recorded(file),
      );
      names.learn(new Map([['web', WEB]]));
      assert.equal(
        (await whole()).map((each) => [each.vm, each.threshold, each.stopped]),
        [[WEB, threshold, stopped]],
      );
    }
  }
});

test('a VM that stays busy is left out, and the others are told', async () => {
  const { read } = counting((line) => (isAboutAll(line) ? recorded('statistics-busy.txt') : HUNG));
  assert.equal(await read(), [`${WEB} vda`]);
});

test('when the call about all hangs each is asked alone, and who hangs is left out', async () => {
  const { read, names } = counting((line) =>
    isAboutAll(line) ? HUNG : line.includes(WEB) ? alone('statistics.txt', 'web') : HUNG,
  );
  names.learn(
    new Map([
      ['web', WEB],
      ['7', uuid(3)],
    ]),
  );
  assert.equal(await read(), [`${WEB} vda`]);
});

test('when nobody answers it is an error', async () => {
  const { read, names } = counting(() => HUNG);
  names.learn(new Map([['web', WEB]]));
  const error = await read().catch((thrown: SltvError) => thrown);
  assert.is(error instanceof SltvError && error.code, 'libvirt/no-answer');
});

test('when no VM was ever heard of a call that hangs is an error', async () => {
  const { read, asked } = counting(() => HUNG);
  const error = await read().catch((thrown: SltvError) => thrown);
  assert.is(error instanceof SltvError && error.code, 'libvirt/no-answer');
  assert.is(asked.length, 1);
});

test('without libvirtd it is an error, and nobody is asked alone', async () => {
  const { read, names, asked } = counting(() => DOWN);
  names.learn(new Map([['web', WEB]]));
  const error = await read().catch((thrown: SltvError) => thrown);
  assert.is(error instanceof SltvError && error.kind, 'unavailable');
  assert.is(asked.length, 1);
});

test.run();
