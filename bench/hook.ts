// What libvirt's hook adds to the start of a VM, against the same work done by hand: one report, one activation, one start of
// the executable. On a test-bed host with a real guest.
import { GROWN_BY_HAND, startDaemon } from '../test/testbed/daemon.ts';
import { testbed } from '../test/testbed/index.ts';
import { median, type Pairs, ratioLine, report } from './measure.ts';

const ROUNDS = 6;
const SCRIPT = '/etc/libvirt/hooks/qemu.d/sltv';

await using host = await testbed.host({
  name: 'bench-hook',
  disks: ['512M'],
  memory: 1024,
  cpus: 2,
  files: GROWN_BY_HAND,
});
await host.run('vgcreate -q vg-sltv /dev/vda');
await startDaemon(host);
const web = await host.guest('web', { start: false });
await host.run('sltv disk create data --size 16M && sltv disk attach data web && sltv init --hooks');
await host.run('kill -HUP $(cat /run/libvirtd.pid)');

const pairs = { ours: [] as number[], bare: [] as number[] } satisfies Pairs;
const plain: number[] = [];
for (let round = -1; round < ROUNDS; round++) {
  const withHook = await start();
  await host.run(`chmod -x ${SCRIPT} && lvchange -ay vg-sltv/data`);
  const without = await start();
  await host.run(`lvchange -an vg-sltv/data && chmod +x ${SCRIPT}`);
  const { ms: bare } = await host.run('lvs > /dev/null && lvchange -ay vg-sltv/data && sltv --version');
  await host.run('lvchange -an vg-sltv/data');
  if (round < 0) continue;
  pairs.ours.push(withHook - without);
  pairs.bare.push(bare);
  plain.push(without);
}
report('hook', [
  ratioLine("what libvirt's hook adds to a start / lvs, lvchange and sltv --version", pairs, 4),
  { what: 'a start without it', value: median(plain), unit: 'ms', raw: plain },
]);

/** Milliseconds. */
async function start(): Promise<number> {
  const { ms } = await host.run('virsh -q start web', { timeout: 120_000 });
  await web.destroy();
  return ms;
}
