// A host that loses power comes back with its guests' disks: libvirt's hook has them ready before the daemon runs.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startDaemon } from '../testbed/daemon.ts';
import { type Host, testbed } from '../testbed/index.ts';
import { contradictions, look } from './facts.ts';

const refused = async (host: Host, command: string): Promise<string> => {
  const { code, stdout, stderr } = await host.run(command, { allowFailure: true, timeout: 90_000 });
  assert.is.not(code, 0, `${command} should have been refused:\n${stdout}`);
  return stderr;
};

/** Volumes with a device. */
const active = async (host: Host) => (await look(host)).active.toSorted();

test('power fails under running guests, in the middle of a detach; the hook brings the rest back, and refuses what it must', async () => {
  await using host = await testbed.host({ name: 'reboot', disks: ['1G'] });
  await startDaemon(host);
  await host.run('sltv pool create vg-sltv /dev/vda && sltv init --hooks && kill -HUP $(cat /run/libvirtd.pid)');
  await host.run(
    'sltv disk create thick --size 64M && sltv disk create thin --thin --virtual-size 1G --size 64M && ' +
      'sltv disk create leaving --size 16M && sltv disk create spare --size 16M',
  );
  const web = await host.guest('web');
  await host.run('for disk in thick thin leaving; do sltv disk attach $disk web; done; virsh -q autostart web');
  const off = await host.guest('off', { start: false });
  await host.run('sltv disk attach spare off');
  assert.not.ok((await active(host)).includes('vg-sltv/spare'), 'a VM that is off has nothing active');
  for (const disk of ['vda', 'vdb', 'vdc']) await web.write('4M', { disk, mark: 7 });
  await web.ignoreUnplug(true);
  assert.match(await refused(host, 'sltv disk detach leaving web --timeout 60s'), 'core/detach-unanswered');

  await host.powerCut();
  await host.boot();
  await web.up();
  assert.equal(await active(host), ['vg-sltv/thick', 'vg-sltv/thin'], 'by the hook alone: no daemon runs');
  for (const disk of ['vda', 'vdb']) await web.verify('4M', { disk, mark: 7 });
  assert.not(await web.sees('vdc'), 'the definition had it no more');

  // Another VM that names the same volume can't start, and is told why by libvirt.
  const thief = await host.guest('thief', { start: false, disks: [{ path: '/dev/vg-sltv/thick', target: 'vda' }] });
  const words = await refused(host, `virsh start ${thief.name}`);
  assert.match(words, /disk vg-sltv\/thick belongs to web, not to thief/);
  await host.run(`virsh -q undefine ${thief.name}`);

  // A VM starts and stops without a daemon.
  await off.start();
  assert.ok((await active(host)).includes('vg-sltv/spare'));
  await off.write('1M', { disk: 'vda' });
  await off.shutdown();
  assert.not.ok((await active(host)).includes('vg-sltv/spare'));

  await startDaemon(host);
  const { stdout } = await host.run('sltv disk list');
  assert.match(stdout, /leaving .* ready/, 'the detach ended when its VM was off');
  assert.match(stdout, /thick .* owned .* web/);
  assert.equal(contradictions(await look(host)), []);
});

test.run();
