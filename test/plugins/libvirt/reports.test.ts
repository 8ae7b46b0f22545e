import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readDiskErrors, readInfo, readList, readStats } from '../../../plugins/libvirt/reports.ts';
import { recorded, uuid, WEB } from '../../fixtures/virsh/recorded.ts';

const ODD = `odd 'n": ü <x>&; $y`;

test('a list gives the uuid of every name, however odd', () => {
  assert.equal(
    readList(recorded('vms.txt')),
    new Map([
      ['web', WEB],
      ['--all', uuid(4)],
      ['7', uuid(3)],
      ['media', uuid(5)],
      [ODD, uuid(2)],
    ]),
  );
});

test('an older virsh pads the names in a list', () => {
  assert.equal(readList(`${WEB} web                           \n`), new Map([['web', WEB]]));
});

test('statistics give the state of every VM', () => {
  const states = readStats(recorded('vms.txt')).map(({ name, state }) => `${name}: ${state}`);
  assert.equal(states.toSorted(), ['--all: off', '7: off', 'media: off', `${ODD}: off`, 'web: running'].toSorted());
});

test('a paused, crashed or sleeping VM is paused, and one that is shutting down still runs', () => {
  const stateOf = (number: number) => readStats(`Domain: 'a'\n  state.state=${number}\n`)[0]?.state;
  assert.equal([0, 1, 2, 3, 4, 5, 6, 7].map(stateOf), [
    'running',
    'running',
    'running',
    'paused',
    'running',
    'off',
    'paused',
    'paused',
  ]);
});

test('block statistics give each disk its numbers', () => {
  const web = readStats(recorded('statistics.txt')).find(({ name }) => name === 'web');
  assert.equal(web?.blocks, [
    {
      target: 'vda',
      path: '/dev/vg0/web',
      allocation: 1376256n,
      physical: 67108864n,
      capacity: 1073741824n,
      writtenBytes: 1048576n,
      threshold: undefined,
    },
  ]);
});

test('of a VM that is busy the disks are known, and no numbers', () => {
  const busy = readStats(recorded('statistics-busy.txt')).find(({ name }) => name === '7');
  assert.equal(busy?.blocks, [
    {
      target: 'vda',
      path: '/dev/vg0/three',
      allocation: undefined,
      physical: undefined,
      capacity: undefined,
      writtenBytes: undefined,
      threshold: undefined,
    },
  ]);
});

test('a disk with a threshold says where it is', () => {
  const thresholdIn = (text: string) => readStats(text).find(({ name }) => name === 'web')?.blocks[0]?.threshold;
  const armed = recorded('statistics-armed.txt');
  assert.is(thresholdIn(armed), 33554432n);
  assert.is(thresholdIn(recorded('statistics-full.txt')), undefined);
  assert.is(thresholdIn(armed.replace('threshold=33554432', 'threshold=0')), undefined);
});

test('a VM stands still for an I/O error, for something else, or not at all', () => {
  const stoppedIn = (text: string) => readStats(text)[0]?.stopped;
  const full = recorded('statistics-full.txt');
  assert.is(stoppedIn(full), 'io-error');
  assert.is(stoppedIn(full.replace('state.reason=5', 'state.reason=1')), 'other');
  for (const state of [6, 7]) assert.is(stoppedIn(full.replace('state.state=3', `state.state=${state}`)), 'other');
  // As after a resume: the same number of another meaning.
  assert.is(stoppedIn(full.replace('state.state=3', 'state.state=1')), undefined);
});

test('what failed on a disk is told by target', () => {
  assert.equal(readDiskErrors(recorded('errors-none.txt')), []);
  assert.equal(readDiskErrors(recorded('errors-full.txt')), [{ target: 'vda', reason: 'no-space' }]);
  assert.equal(readDiskErrors('vda: unspecified error\nsdb: no space\n\n'), [
    { target: 'vda', reason: 'other' },
    { target: 'sdb', reason: 'no-space' },
  ]);
});

for (const [file, state] of [
  ['info-running.txt', 'running'],
  ['info-paused.txt', 'paused'],
  ['info-full.txt', 'paused'],
] as const) {
  test(`${file} is read as a VM that is ${state}`, () => {
    assert.equal(readInfo(recorded(file)), { uuid: WEB, name: 'web', state, isPersistent: true });
  });
}

test('a VM without a number is off', () => {
  assert.equal(readInfo(recorded('info-off.txt')), { uuid: uuid(5), name: 'media', state: 'off', isPersistent: true });
});

test('blanks in a name count', () => {
  const text = recorded('info-off.txt').replace('media', ' two  blanks ');
  assert.is(readInfo(text).name, ' two  blanks ');
});

test('what is no dominfo is an error, not a VM', () => {
  assert.throws(() => readInfo('gibberish'), /says nothing of 'State'/);
});

test.run();
