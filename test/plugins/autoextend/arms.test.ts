import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Threshold } from '../../../core/capabilities/hypervisor.ts';
import { createArms } from '../../../plugins/autoextend/arms.ts';

const life = new AbortController().signal;

test('all thresholds that are wanted of a VM at a time go in one call', async () => {
  const calls: (readonly [string, readonly Threshold[]])[] = [];
  const arm = createArms({ arm: async (vm, thresholds) => void calls.push([vm, thresholds]) }, life);
  await Promise.all([arm('a', 'vda', 1n), arm('a', 'vdb', 2n), arm('b', 'vda', 3n)]);
  const thresholds = [
    { target: 'vda', offset: 1n },
    { target: 'vdb', offset: 2n },
  ];
  assert.equal(calls, [
    ['a', thresholds],
    ['b', [{ target: 'vda', offset: 3n }]],
  ]);
});

test('a VM that does not answer holds up no other', async () => {
  const hangs = Promise.withResolvers<void>();
  const arm = createArms({ arm: (vm) => (vm === 'hung' ? hangs.promise : Promise.resolve()) }, life);
  const stuck = arm('hung', 'vda', 1n);
  await arm('well', 'vda', 1n);
  hangs.resolve();
  await stuck;
});

test('a VM is asked one thing at a time, and what is wanted meanwhile goes in the next call, the last word of it', async () => {
  const first = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const calls: (readonly Threshold[])[] = [];
  const hypervisor = {
    async arm(_vm: string, thresholds: readonly Threshold[]) {
      calls.push(thresholds);
      begun.resolve();
      await first.promise;
    },
  };
  const arm = createArms(hypervisor, life);
  const answers = [arm('a', 'vda', 1n)];
  await begun.promise;
  answers.push(arm('a', 'vda', 2n), arm('a', 'vda', 3n));
  await turnOfTheLoop();
  assert.is(calls.length, 1);
  first.resolve();
  await Promise.all(answers);
  assert.equal(calls.slice(1), [[{ target: 'vda', offset: 3n }]]);
});

test('a refusal is told to all who asked in that call, and to no other', async () => {
  let isOff = true;
  const arm = createArms({ arm: () => (isOff ? Promise.reject(new Error('off')) : Promise.resolve()) }, life);
  const answers = [arm('a', 'vda', 1n), arm('a', 'vdb', 1n)].map((answer) => answer.catch((error) => error.message));
  assert.equal(await Promise.all(answers), ['off', 'off']);
  isOff = false;
  await arm('a', 'vda', 1n);
});

test.run();
