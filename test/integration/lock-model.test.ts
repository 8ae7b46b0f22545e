import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Explored, explore } from './lock-model/explore.ts';
import type { Bounds, Fault, Without } from './lock-model/model.ts';

const NOBODYS_FAULT: readonly Fault[] = ['pause', 'lease', 'crash', 'reboot', 'late', 'fence'];
const pairs: readonly (readonly Fault[])[] = [
  ['pause', 'late'],
  ['pause', 'crash'],
  ['lease', 'late'],
  ['crash', 'reboot'],
];

function isSafe({ worlds, omens, histories, stuck }: Explored): void {
  console.log(`${worlds} worlds`);
  assert.equal(omens, { loss: 0, difference: 0, overlooked: 0 }, JSON.stringify(histories));
  assert.is(stuck, undefined, 'some histories lead to where nobody can go on');
}

test('three hosts, and any one of them is paused, cut off, killed, rebooted, fenced or answered late, at any moment', () => {
  isSafe(explore({ hosts: 3, turns: 1, faults: 1, kinds: NOBODYS_FAULT }));
});

for (const kinds of pairs) {
  test(`two hosts, and two faults at any moments: ${kinds.join(' and ')}`, () => {
    isSafe(explore({ hosts: 2, turns: 1, faults: 2, kinds }));
  });
}

test('etcd is set back at any moment to before any lock was taken', () => {
  isSafe(explore({ hosts: 2, turns: 1, faults: 1, kinds: ['restore'] }));
});

test('a fence on a host that lives may cost a commit, and no command is begun on what that has made', () => {
  const { omens, stuck } = explore({ hosts: 2, turns: 2, faults: 1, kinds: ['fence-alive'] });
  assert.ok(omens.loss > 0, 'a false word is no proof');
  assert.ok(omens.difference > 0);
  assert.is(omens.overlooked, 0);
  assert.is(stuck, undefined);
});

const controls: readonly (readonly [string, Bounds, Without, keyof Explored['omens']])[] = [
  ['without records', { hosts: 2, turns: 1, faults: 1, kinds: ['pause', 'lease'] }, { record: true }, 'loss'],
  [
    'without records, the marks tell',
    { hosts: 2, turns: 2, faults: 1, kinds: ['lease'] },
    { record: true },
    'difference',
  ],
  ['without waiting for orphans', { hosts: 2, turns: 1, faults: 1, kinds: ['crash'] }, { orphans: true }, 'loss'],
  ['without a memory of etcd', { hosts: 2, turns: 1, faults: 1, kinds: ['restore'] }, { memory: true }, 'loss'],
  ['without marks', { hosts: 2, turns: 2, faults: 1, kinds: ['fence-alive'] }, { identity: true }, 'overlooked'],
];

for (const [title, bounds, without, omen] of controls) {
  test(`${title}: ${omen}`, () => {
    const { omens, histories } = explore(bounds, without);
    assert.ok(omens[omen] > 0, 'this part of the protocol was not needed');
    console.log(histories[omen]?.join(' · '));
  });
}

test.run();
