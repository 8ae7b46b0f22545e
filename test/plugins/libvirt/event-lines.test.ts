import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readEvent } from '../../../plugins/libvirt/event-lines.ts';
import { recorded } from '../../fixtures/virsh/recorded.ts';

const heard = recorded('events.txt')
  .split('\n')
  .flatMap((line) => readEvent(line) ?? []);
const of = (type: string) => heard.filter((event) => event.type === type);
const event = (type: string, rest: string) => `2026-11-20 19:04:05.396+0000: event '${type}' for domain ${rest}`;

test('a threshold is told once, though libvirt tells it twice', () => {
  assert.equal(of('threshold'), [
    { type: 'threshold', name: 'web', target: 'vda', path: '/dev/vg0/web', threshold: 33554432n, excess: 327680n },
  ]);
});

test('an I/O error is told once, with its reason', () => {
  assert.equal(of('io-error'), [
    { type: 'io-error', name: 'web', path: '/dev/vg0/web', alias: 'virtio-disk0', reason: 'enospc' },
  ]);
});

test('a block job is told by target: of a copy, and of a snapshot that is committed', () => {
  const job = (status: string) => ({ type: 'block-job', name: 'web', target: 'vda', status });
  assert.equal(of('block-job'), ['ready', 'completed', 'ready', 'completed'].map(job));
});

test('a block job at an image further down the chain is one of the device', () => {
  const job = readEvent(event('block-job-2', `'web': Block Commit for vdb[12] completed`));
  assert.equal(job, { type: 'block-job', name: 'web', target: 'vdb', status: 'completed' });
});

test('devices come and go', () => {
  assert.equal(of('device-added'), [{ type: 'device-added', name: 'web', device: 'virtio-disk1' }]);
  assert.equal(of('device-removed'), [{ type: 'device-removed', name: 'web', device: 'virtio-disk1' }]);
});

test('the life of a VM is told from its start to its end', () => {
  const life = of('vm').map((each) => each.type === 'vm' && `${each.name} ${each.change}: ${each.detail}`);
  for (const line of [
    'web started: Booted',
    'web paused: Paused',
    'web resumed: Unpaused',
    'web paused: I/O Error',
    'web stopped: Snapshot',
    'web started: Snapshot',
    'web resumed: Snapshot',
    'web defined: Snapshot',
    '7 other: Finished after host request',
    '7 stopped: Destroyed',
    'web stopped: Saved',
    'web started: Restored',
    'web stopped: Failed',
    'media undefined: Renamed',
    'renamed defined: Renamed',
    'renamed undefined: Removed',
  ]) {
    assert.ok(life.includes(line), `'${line}' was told`);
  }
});

test('what is no event, or not about disks, is left out', () => {
  for (const line of recorded('events.txt').split('\n')) {
    if (
      / event '/.test(line) &&
      !/'(migration-iteration|job-completed|reboot|io-error|block-job)'|\[\d+\]\(/.test(line)
    ) {
      assert.ok(readEvent(line), line);
    } else {
      assert.is(readEvent(line), undefined, line);
    }
  }
});

test('a name may have in it whatever stands around it', () => {
  for (const name of [`odd 'n": ü <x>&; $y`, `a': b`, `a': Started Booted`, `x' for domain 'y`, ' ', '--all']) {
    const line = event('lifecycle', `'${name}': Stopped Destroyed`);
    assert.equal(readEvent(line), { type: 'vm', name, change: 'stopped', detail: 'Destroyed' });
  }
});

test('a path may have in it whatever stands around it', () => {
  const path = `/d/a (b) (virtio-disk9) pause due to x`;
  assert.equal(readEvent(event('io-error-reason', `'a': ${path} (virtio-disk1) pause due to enospc`)), {
    type: 'io-error',
    name: 'a',
    path,
    alias: 'virtio-disk1',
    reason: 'enospc',
  });
  assert.equal(readEvent(event('block-threshold', `'a': dev: vdb(/d/a(1) 2) 3 4`)), {
    type: 'threshold',
    name: 'a',
    target: 'vdb',
    path: '/d/a(1) 2',
    threshold: 3n,
    excess: 4n,
  });
});

test('an I/O error without a reason is one', () => {
  assert.equal(readEvent(event('io-error-reason', `'a': /d/a (virtio-disk1) report due to `)), {
    type: 'io-error',
    name: 'a',
    path: '/d/a',
    alias: 'virtio-disk1',
    reason: '',
  });
});

test.run();
