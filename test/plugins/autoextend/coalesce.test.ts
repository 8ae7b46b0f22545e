import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coalesce } from '../../../plugins/autoextend/coalesce.ts';

function gated() {
  const gates: PromiseWithResolvers<void>[] = [];
  const ask = coalesce(() => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    return gate.promise;
  });
  return { gates, ask };
}

test('who asks while work runs shares one run after it', async () => {
  const { gates, ask } = gated();
  const first = ask();
  const later = [ask(), ask(), ask()];
  assert.is(gates.length, 1);
  gates[0]?.resolve();
  await first;
  await Promise.resolve();
  assert.is(gates.length, 2, 'one more for all three');
  gates[1]?.resolve();
  await Promise.all(later);
  assert.is(gates.length, 2);
});

test('who asks between two runs does not begin a third beside them', async () => {
  const { gates, ask } = gated();
  const first = ask();
  const second = ask();
  gates[0]?.resolve();
  const third = first.then(ask);
  await first;
  for (let n = 0; n < 10; n++) await Promise.resolve();
  assert.ok(gates.length <= 3);
  const running = gates.length;
  gates.at(-1)?.resolve();
  await second;
  assert.ok(running <= 2, 'one at a time');
  for (let n = 0; n < 10; n++) await Promise.resolve();
  gates.at(-1)?.resolve();
  await third;
});

test('a run that fails tells those who asked for it, and the next is not hindered', async () => {
  let runs = 0;
  const ask = coalesce(async () => {
    runs += 1;
    if (runs === 1) throw new Error('first');
  });
  const first = ask().catch((error: Error) => error.message);
  const second = ask();
  assert.is(await first, 'first');
  await second;
  assert.is(runs, 2);
});

test.run();
