// libvirt's hook: a VM finds its disks active when it starts, whatever the daemon does, and no VM finds another's.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MiB } from '../../core/units.ts';
import { type Daemon, GROWN_BY_HAND, startDaemon } from '../testbed/daemon.ts';
import { type Guest, type Host, testbed } from '../testbed/index.ts';
import { succeed } from './api.ts';
import { contradictions, look } from './facts.ts';

const test = suite('the hook');
const SCRIPT = '/etc/libvirt/hooks/qemu.d/sltv';
let host: Host;
let daemon: Daemon;
let web: Guest;

const create = (name: string) =>
  succeed(host, { method: 'CreateDisk', body: { name, vg: 'vg-sltv', sizeBytes: String(16n * MiB) } });
const active = async () => (await look(host)).active;
/** What virsh says of a start that is refused. */
async function refusal(vm: string): Promise<string> {
  const { code, stderr } = await host.run(`virsh start ${vm}`, { allowFailure: true, timeout: 120_000 });
  assert.is.not(code, 0, `${vm} should not have started`);
  return stderr;
}

test.before(async () => {
  host = await testbed.host({ name: 'hook', disks: ['512M', '64M', '64M'], memory: 1024, files: GROWN_BY_HAND });
  await host.run('vgcreate -q vg-sltv /dev/vda');
  daemon = await startDaemon(host);
  for (const name of ['data', 'loose']) await create(name);
  web = await host.guest('web', { start: false });
});

test.after(async () => {
  await host?.[Symbol.asyncDispose]();
});

test('it is installed by hand, with one command, and a second changes nothing', async () => {
  const first = await host.run('sltv init --hooks');
  assert.match(first.stdout, new RegExp(`${SCRIPT} +written`));
  assert.match(first.stderr + first.stdout, /systemctl reload libvirtd/);
  assert.match((await host.run('sltv init --hooks')).stdout, new RegExp(`${SCRIPT} +already there`));
  assert.is((await host.run(`stat -c %a ${SCRIPT}`)).stdout, '755\n');
  // What systemctl reload does.
  await host.run('kill -HUP $(cat /run/libvirtd.pid)');
});

test('a VM that was off when it got a disk finds it active when it starts', async () => {
  await succeed(host, { method: 'AttachDisk', body: { diskName: 'data', vmName: 'web' } });
  assert.equal(await active(), []);
  await web.start();
  assert.equal(await active(), ['vg-sltv/data']);
  await web.write('4M', { mark: 1 });
});

test('another VM that names the same volume is refused, in our words, and takes nothing away', async () => {
  await host.guest('thief', { start: false, disks: [{ path: '/dev/vg-sltv/data' }] });
  const words = await refusal('thief');
  assert.match(words, 'disk vg-sltv/data belongs to web, not to thief');
  assert.match(words, 'hint: sltv disk detach vg-sltv/data web');
  await web.verify('4M', { mark: 1 });
  await host.run('virsh -q undefine thief');
});

test('after its VM is off a volume is not active', async () => {
  await web.shutdown();
  assert.equal(await active(), []);
  assert.equal(contradictions(await look(host)), []);
});

test('a thin disk that is known to be nearly full gets room before its VM starts, beside the daemon', async () => {
  await host.run('sltv disk create thin --thin --virtual-size 1G --size 8M && sltv disk attach thin web');
  await host.run(`lvchange --addtag sltv:end=${6n * MiB} vg-sltv/thin`);
  await web.start();
  const size = async () => (await host.run('lvs --noheadings --units m -o lv_size vg-sltv/thin')).stdout.trim();
  assert.is(await size(), '72.00m', '6 MiB and 64 MiB, in whole extents');
  assert.equal((await active()).toSorted(), ['vg-sltv/data', 'vg-sltv/thin']);
  assert.match((await host.run('sltv disk show thin')).stdout, /^size: +72 MiB$/m, 'the daemon sees what the hook did');
  await web.shutdown();
  await host.run('sltv disk detach thin web && sltv disk delete thin');
  assert.equal(contradictions(await look(host)), []);
});

test('a disk that was given to no VM starts with none', async () => {
  await host.guest('stranger', { start: false, disks: [{ path: '/dev/vg-sltv/loose' }] });
  const words = await refusal('stranger');
  assert.match(words, 'disk vg-sltv/loose is not attached to stranger');
  assert.match(words, 'hint: sltv disk attach vg-sltv/loose stranger');
  assert.equal(await active(), []);
  await host.run('virsh -q undefine stranger');
});

test('a daemon that hangs keeps no VM from starting, nor one that is gone', async () => {
  await host.run(`kill -STOP ${daemon.pid}`);
  await web.start();
  await web.verify('4M', { mark: 1 });
  await web.shutdown();
  assert.equal(await active(), []);
  await daemon.kill();
  await web.start();
  await web.verify('4M', { mark: 1 });
  await web.destroy();
  assert.equal(await active(), []);
});

test('a pool that lost a device keeps no VM of another pool from starting', async () => {
  const marks = '--addtag sltv:v=1 --addtag sltv:lock=local/$(cat /etc/machine-id)';
  await host.run(
    `vgcreate -q ${marks} vg-broken /dev/vdb /dev/vdc && dd if=/dev/zero of=/dev/vdc bs=1M count=4 status=none`,
  );
  await web.start();
  await web.verify('4M', { mark: 1 });
  await web.destroy();
  assert.equal(await active(), []);
});

test('it costs a start a few commands of lvm and nothing of libvirt, without a daemon', async () => {
  const recorder = (name: string) =>
    `#!/bin/sh\necho "${name} $1" >> /tmp/commands; PATH=\${PATH#*:} exec ${name} "$@"\n`;
  for (const name of ['lvm', 'virsh', 'qemu-img']) {
    await host.run(`mkdir -p /opt/recorders && cat > /opt/recorders/${name} && chmod +x /opt/recorders/${name}`, {
      input: recorder(name),
    });
  }
  const commandsOf = async (moment: string) => {
    await host.run(`virsh dumpxml web | PATH=/opt/recorders:$PATH ${SCRIPT} web ${moment} -`);
    return (await host.run('cat /tmp/commands; rm /tmp/commands')).stdout.trimEnd().split('\n');
  };
  // The VGs that there are, a report of each of the two, a report under the lock, the activation.
  const atStart = ['lvm vgs', 'lvm fullreport', 'lvm fullreport', 'lvm fullreport', 'lvm lvchange'];
  assert.equal((await commandsOf('prepare begin')).toSorted(), atStart.toSorted());
  assert.equal(await active(), ['vg-sltv/data']);
  const after = await commandsOf('release end');
  assert.ok(after.length <= atStart.length && after.every((command) => atStart.includes(command)), after.join(', '));
  assert.equal(await active(), []);
});

test.run();
