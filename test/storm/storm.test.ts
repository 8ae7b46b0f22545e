// A storm as long as a test may be; `npm run storm` is for hours. And its controls: a storm that loses nothing where nothing
// keeps the hosts apart proves nothing.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withoutLocks, withoutRecords } from './controls.ts';
import { storm } from './rounds.ts';
import { keepTraces } from './traces.ts';
import { tell } from './verdict.ts';

const say = (line: string) => console.log(line);
const seed = Math.random().toString(36).slice(2, 10);

test('without locks, updates are lost', async () => {
  const { lost } = await withoutLocks({ seed, say });
  assert.ok(lost.length > 0);
});

test('with leases alone, updates are lost, and the comparison of the VG with what was left of it tells so', async () => {
  const { lost, told } = await withoutRecords({ seed, say });
  assert.ok(lost.length > 0);
  assert.ok(told.has('lvm/lost-update'), [...told].join(', '));
});

test('whatever happens to hosts, etcd and the network, what was acknowledged is there', async () => {
  const options = { seed, seconds: SECONDS, hosts: 3, ttl: 2, say };
  const verdict = await storm({
    ...options,
    keep: async (world, isWrong) => isWrong && (await keepTraces(world, seed, say)),
  });
  tell(verdict, seed, say);
  assert.equal(verdict.wrong, []);
  const hits = [...verdict.faults.values()].filter(({ hit }) => hit > 0).length;
  assert.ok(verdict.counts.acknowledged > 0 && hits > 0, 'a storm in which nothing happens');
});

const SECONDS = 160;

test.run();
