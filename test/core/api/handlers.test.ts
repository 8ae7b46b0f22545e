// What handlers add to the capabilities that they answer from.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SltvError } from '../../../core/errors.ts';
import { startTrial, type Trial } from './trial.ts';

const test = suite('handlers');
const onTrial = (title: string, work: (trial: Trial) => Promise<void>) =>
  test(title, async () => {
    await using trial = await startTrial();
    await work(trial);
  });

const failure = async (work: Promise<unknown>): Promise<SltvError> =>
  await work.then(
    () => assert.unreachable('it should have been refused'),
    (error) => error,
  );

onTrial('a pool that is not there is not found, and the hint names those that are', async (trial) => {
  const { pools } = trial.client();
  for (const work of [pools.get({ name: 'none' }), pools.extend({ name: 'none', devices: ['/dev/x'] })]) {
    const error = await failure(work);
    assert.is(error.code, 'core/pool-missing');
    assert.match(error.hint ?? '', /mem, other/);
  }
});

onTrial('what has happened is told, and what happens, each with a cursor to come back with', async (trial) => {
  const { sltv, events } = trial.client();
  await sltv.createDisk({ name: 'a', sizeBytes: '8388608' });
  const lately = [];
  for await (const event of events.watch({})) lately.push(event);
  const [created] = lately;
  assert.equal(
    lately.map(({ type, subject, message }) => `${type} ${subject} ${message}`),
    ['disk.created mem/a was created, thick, 8 MiB'],
  );
  assert.is(created?.values.size, '8388608');
  assert.ok(Math.abs(Date.parse(created?.time ?? '') - Date.now()) < 60_000);

  const following = events.watch({ after: created?.cursor ?? '', follow: true })[Symbol.asyncIterator]();
  const next = following.next();
  await sltv.deleteDisk({ name: 'a' });
  assert.is((await next).value?.message, 'was deleted');
  await following.return?.();
});

onTrial('a cursor that is none is refused', async (trial) => {
  const events = trial.client().events.watch({ after: 'yesterday' })[Symbol.asyncIterator]();
  const error = await failure(events.next());
  assert.is(error.code, 'core/input');
  assert.match(error.hint ?? '', 'sltv events --json');
});

onTrial('a pool that can not grow says so', async (trial) => {
  const error = await failure(trial.client().pools.extend({ name: 'other', devices: ['/dev/x'] }));
  assert.is(error.kind, 'unsupported');
  assert.equal(trial.grown, []);
});

onTrial('two pools of one name are not made, whatever kind each is', async (trial) => {
  const error = await failure(trial.client().pools.create({ name: 'mem', devices: ['/dev/x'], kind: 'memory' }));
  assert.is(error.code, 'core/pool-exists');
  assert.match(error.hint ?? '', /sltv pool extend mem/);
});

onTrial('a kind of pool that no plugin makes is unsupported, and lvm is meant where none is given', async (trial) => {
  for (const request of [
    { name: 'x', devices: ['/dev/x'] },
    { name: 'x', devices: ['/dev/x'], kind: 'lvm' },
  ]) {
    const error = await failure(trial.client().pools.create(request));
    assert.is(error.code, 'core/no-provider');
    assert.match(error.message, /kind lvm/);
    assert.match(error.hint ?? '', /memory/);
  }
});

for (const [title, request] of [
  ['without a name', { devices: ['/dev/x'], kind: 'memory' }],
  ['without devices', { name: 'x', kind: 'memory' }],
  ['with an empty device', { name: 'x', devices: ['/dev/x', ''], kind: 'memory' }],
] as const) {
  onTrial(`a new pool ${title} is invalid`, async (trial) => {
    const { name, devices, kind } = { name: '', devices: [], ...request };
    assert.is((await failure(trial.client().pools.create({ name, devices: [...devices], kind }))).code, 'core/input');
  });
}

onTrial("a VM's disks are named where they are ours, by their path alone", async (trial) => {
  const { sltv, vms } = trial.client();
  const disk = await sltv.createDisk({ name: 'a', sizeBytes: '8388608' });
  const device = { format: 'raw', readOnly: false, live: true, persistent: true };
  trial.vms.web.disks = [
    { ...device, target: 'vda', path: disk.devicePath },
    { ...device, target: 'vdb', path: '/dev/other/a' },
    { ...device, target: 'sda', path: undefined, readOnly: true },
  ];
  const [web, db] = await vms.list();
  assert.equal(web?.disks, [
    { targetDev: 'vda', path: disk.devicePath, diskName: 'mem/a', readOnly: false },
    { targetDev: 'vdb', path: '/dev/other/a', diskName: '', readOnly: false },
    { targetDev: 'sda', path: '', diskName: '', readOnly: true },
  ]);
  assert.equal([db?.state, db?.disks, db?.problem], ['off', [], '']);
});

onTrial('plugins are listed with what a shell needs of their verbs', async (trial) => {
  const listed = await trial.client().plugins.list();
  const vms = listed.find(({ name }) => name === 'vms');
  assert.equal(vms, { name: 'vms', version: '4.5.6', provides: ['hypervisor'], requires: [], verbs: [], errors: {} });
  const own = listed.find(({ name }) => name === 'trial');
  assert.equal(own?.errors, { 'trial/fault': 'internal' });
  const echo = own?.verbs.find(({ words }) => words === 'trial echo');
  assert.is(echo?.role, 'operator');
  assert.is(echo?.gives, 'item');
  assert.equal(echo?.args, [{ name: 'size', type: 'size', about: 'bytes', optional: false, list: false, choices: [] }]);
  assert.equal(echo?.options.find(({ name }) => name === 'colour')?.choices, ['red', 'green']);
});

for (const [title, words, input, code, hint] of [
  ['that is misspelt', 'trial ehco', {}, 'core/unknown-verb', /did you mean 'trial echo'/],
  ['that is nothing like any', 'x', {}, 'core/unknown-verb', /plugin list/],
  ['without its input', 'trial echo', {}, 'core/input', /trial echo/],
  ['that gives a stream', 'trial count', { to: 1 }, 'core/input', /Watch/],
] as const) {
  onTrial(`calling a verb ${title} is invalid`, async (trial) => {
    const error = await failure(trial.client().plugins.call(words, input));
    assert.is(error.code, code);
    assert.is(error.kind, 'invalid');
    assert.match(error.hint ?? '', hint);
  });
}

onTrial('watching a verb that gives no stream is invalid', async (trial) => {
  const stream = trial.client().plugins.watch('trial echo', { size: '1G' })[Symbol.asyncIterator]();
  const error = await failure(stream.next());
  assert.is(error.code, 'core/input');
  assert.match(error.hint ?? '', /Call/);
});

onTrial('a result comes back by the types that the verb declares', async (trial) => {
  const input = { size: '1.5G', time: '2026-01-31T13:00:00+01:00', words: ['a', 'b'] };
  assert.equal(await trial.client().plugins.call('trial echo', input), [
    { size: '1610612736', time: '2026-01-31T12:00:00.000Z', words: ['a', 'b'], loud: true },
  ]);
});

test.run();
