// Two hosts that want the same disk at the same instant, a hundred times: five disks side by side, again and again. The VMs
// are off, so that a race takes as long as its commits.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bytes } from '../e2e/api.ts';
import { askAll, configOf, listed, POOL, startOwn, vgck } from '../e2e/cluster-bed.ts';
import { type Host, testbed } from '../testbed/index.ts';

const DISKS = ['d1', 'd2', 'd3', 'd4', 'd5'];
const ROUNDS = 20;
const VMS = ['left', 'right'] as const;

test('of two hosts that attach one disk at the same instant one wins, and the other is told who, a hundred times', async () => {
  await using cluster = await testbed.cluster({
    name: 'race',
    lun: '1G',
    host: (self) => ({ memory: 768, files: configOf(self) }),
  });
  await Promise.all(cluster.hosts.map(startOwn));
  const [left, right] = [cluster.host(1), cluster.host(2)];
  await left.run(`sltv pool create ${POOL} ${cluster.lun}`);
  await Promise.all([left.guest('left', { start: false }), right.guest('right', { start: false })]);
  await succeedAll(left, 'CreateDisk', (name) => ({ name, vg: POOL, sizeBytes: bytes(8) }), DISKS);
  const wins = { left: 0, right: 0 };
  const begun = performance.now();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const attach = (vmName: string) =>
      DISKS.map((diskName) => ({
        method: 'AttachDisk',
        body: { diskName, vmName },
        id: `${vmName}-${diskName}-${round}`,
      }));
    const answers = await Promise.all([askAll(left, attach('left')), askAll(right, attach('right'))]);
    const winners = DISKS.map((disk, n) => {
      const [one, other] = [answers[0][n], answers[1][n]];
      const [winner, loser] = one?.status === 200 ? [one, other] : [other, one];
      const both = `round ${round}, ${disk}: ${one?.text} ${other?.text}`;
      assert.is(winner?.status, 200, both);
      assert.match(loser?.text ?? '', 'core/disk-attached', both);
      return winner === one ? VMS[0] : VMS[1];
    });
    for (const vm of winners) wins[vm] += 1;
    for (const host of [left, right]) {
      const seen = await listed(host);
      assert.equal(
        DISKS.map((disk) => seen.get(disk)?.state),
        DISKS.map(() => 'owned'),
        `round ${round}, ${host.name}`,
      );
    }
    const wonBy = (vm: string) => DISKS.filter((_, n) => winners[n] === vm);
    const detach = (vmName: string) => (diskName: string) => ({ diskName, vmName });
    await Promise.all([
      succeedAll(left, 'DetachDisk', detach('left'), wonBy('left')),
      succeedAll(right, 'DetachDisk', detach('right'), wonBy('right')),
    ]);
    console.log(`round ${round}: ${JSON.stringify(wins)}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  }
  assert.ok(wins.left > 0 && wins.right > 0, JSON.stringify(wins));
  await vgck(left);
});

test.run();

async function succeedAll(host: Host, method: string, body: (disk: string) => object, disks: readonly string[]) {
  if (disks.length === 0) return;
  const answers = await askAll(
    host,
    disks.map((disk) => ({ method, body: body(disk) })),
  );
  for (const { status, text } of answers) assert.is(status, 200, `${method}: ${text}`);
}
