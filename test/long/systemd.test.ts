// The units of deploy/systemd on a host that boots systemd: what starts when, what is started again, and what outlives what.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { asking, bytes, type Request, readAnswer } from '../e2e/api.ts';
import { blocksOf, hasShape } from '../fixtures/pages.ts';
import { GROWN_BY_HAND } from '../testbed/daemon.ts';
import { type Guest, type Host, testbed } from '../testbed/index.ts';

const UNITS = join(import.meta.dirname, '../../deploy/systemd');
const unit = (name: string) => readFileSync(join(UNITS, name), 'utf8');

/** Holds an lvcreate, where somebody has made a gate for it, and says its process id. */
const SHIM = `#!/bin/sh
if [ "$1" = lvcreate ] && [ -p /run/hold/gate ]; then
  echo $$ > /run/hold/news
  read -r _ < /run/hold/gate
fi
exec /usr/sbin/lvm "$@"
`;

const FILES = {
  ...GROWN_BY_HAND,
  '/etc/systemd/system/sltv.service': unit('sltv.service'),
  '/etc/systemd/system/sltv.socket': unit('sltv.socket'),
  // Everything takes twenty times as long here, and more where several hosts share a processor.
  '/etc/systemd/system/sltv.service.d/testbed.conf': `[Service]
Environment=PATH=/opt/shims:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
TimeoutStartSec=300
TimeoutStopSec=60
WatchdogSec=150
`,
  '/opt/shims/lvm': { text: SHIM, mode: 0o755 },
  // It stays when nobody asks it anything, so that it says when it was started.
  '/etc/default/libvirtd': 'LIBVIRTD_ARGS=""\n',
  '/etc/default/libvirt-guests': 'ON_SHUTDOWN=shutdown\nSHUTDOWN_TIMEOUT=60\n',
};

const test = suite('systemd');
let host: Host;
let web: Guest;

const run = async (command: string) => (await host.run(command, { timeout: 300_000 })).stdout.trim();
const property = (name: string, of = 'sltv.service') => run(`systemctl show --value --property ${name} ${of}`);

/** Asks the daemon by its socket: to start the client takes as long in here as what it asks for. */
async function succeed(request: Request): Promise<string> {
  const { status, text } = readAnswer((await host.run(asking(request), { timeout: 300_000 })).stdout);
  if (status !== 200) throw host.fail(`${request.method} ${JSON.stringify(request.body)}: ${status} ${text}`);
  return text;
}

/** The last line that says it. */
function lineOf(says: RegExp, lines: readonly string[]): number {
  const at = lines.findLastIndex((line) => says.test(line));
  assert.is.not(at, -1, `nothing says ${says}`);
  return at;
}

/** Returns with the first line of the journal from now on that says it. */
async function journalSays(says: RegExp): Promise<string> {
  const journal = host.start('exec journalctl --follow --no-tail --boot --output cat --unit sltv.service');
  try {
    return await journal.line(says, { timeout: 240_000 });
  } finally {
    journal.kill();
  }
}

/** Waits until the daemon is another process than this one, and answers. */
async function successorOf(pid: string): Promise<void> {
  const isOther = `p=$(systemctl show --value --property MainPID sltv.service); [ "$p" != 0 ] && [ "$p" != ${pid} ]`;
  const isUp = 'systemctl is-active --quiet sltv.service';
  await host.run(`until ${isOther} && ${isUp}; do sleep 3; done`, { timeout: 400_000 });
}

const startsBeforeLibvirt = async () => {
  const ready = Number(await property('ActiveEnterTimestampMonotonic'));
  const begins = Number(await property('InactiveExitTimestampMonotonic', 'libvirtd.service'));
  assert.ok(ready > 0 && begins > 0 && ready <= begins, `ready at ${ready}, libvirtd begins at ${begins}`);
};

test.before(async () => {
  const systemd = ['sltv.service', 'sltv.socket'];
  host = await testbed.host({ name: 'systemd', disks: ['1G'], memory: 1024, files: FILES, systemd });
});
test.after(async () => {
  await host?.[Symbol.asyncDispose]();
});

test('at boot the daemon is ready before libvirtd begins to start', async () => {
  await startsBeforeLibvirt();
});

test('systemd has nothing to say against the units', async () => {
  const { stdout, stderr } = await host.run('systemd-analyze verify --man=no sltv.service sltv.socket', {
    timeout: 120_000,
  });
  assert.is(stdout + stderr, '');
});

test('under the unit disks on LVM and in a directory are made, attached, written to, grown and removed', async () => {
  await run('sltv pool create vg-sltv /dev/vda --timeout 240s && sltv init --hooks && systemctl reload libvirtd');
  const thin = { mode: 'PROVISION_MODE_THIN', virtualSizeBytes: bytes(256) };
  await succeed({ method: 'CreateDisk', body: { name: 'data', sizeBytes: bytes(64) } });
  await succeed({ method: 'CreateDisk', body: { name: 'logs', sizeBytes: bytes(64), ...thin } });
  await succeed({ method: 'CreateDisk', body: { name: 'image', vg: 'disks', sizeBytes: bytes(16) } });
  await succeed({ method: 'DeleteDisk', body: { name: 'image' } });
  web = await host.guest('web');
  for (const diskName of ['data', 'logs']) await succeed({ method: 'AttachDisk', body: { diskName, vmName: 'web' } });
  await web.write('4M', { disk: 'vda', mark: 1 });
  await web.write('4M', { disk: 'vdb', mark: 2 });
  await succeed({ method: 'ExtendDisk', body: { name: 'data', deltaBytes: bytes(32) } });
  assert.is(await web.size('vda'), 96n * 1024n ** 2n);
  assert.match(await run('ls /etc/lvm/archive'), 'vg-sltv');
});

test('a restart changes nothing for the guest', async () => {
  const pid = await property('MainPID');
  await run('systemctl restart sltv.service');
  assert.is.not(await property('MainPID'), pid);
  await web.verify('4M', { disk: 'vda', mark: 1 });
});

test('killed while an lvm writes, it is started again, waits for that lvm, and refuses no client meanwhile', async () => {
  const pid = await property('MainPID');
  await run('mkdir /run/hold && mkfifo /run/hold/gate /run/hold/news');
  const news = host.start('exec 3<> /run/hold/news; read -r pid <&3 && echo "held $pid"; exec sleep infinity');
  const creating = host.start(asking({ method: 'CreateDisk', body: { name: 'late', sizeBytes: '16777216' } }));
  const lvm = (await news.line(/held \d+/, { timeout: 240_000 })).replace(/\D/g, '');
  await run(`kill -9 ${pid}`);
  const client = host.start('sltv disk list --timeout 400s 2>&1; echo "listed, $?"');
  await journalSays(/still writing; waiting for it/);
  assert.match(await run(`readlink /proc/${lvm}/exe`), 'sh', 'the command lives, behind its gate');
  await run('echo go 1<> /run/hold/gate');
  await client.line(/listed, 0/, { timeout: 240_000 });
  assert.match(client.seen.join('\n'), /data/);
  assert.is.not(await property('MainPID'), pid);
  await creating.ended;
  await run('rm -r /run/hold');
  news.kill();
});

test('a daemon that hangs is ended by the watchdog, and started again', async () => {
  const pid = await property('MainPID');
  const told = 'systemctl show --value --property WatchdogTimestampMonotonic sltv.service';
  const first = await run(told);
  await host.run(`until [ "$(${told})" != ${first} ]; do sleep 1; done`, { timeout: 300_000 });
  // From here on it waits no longer than a few seconds.
  const sooner = `NOTIFY_SOCKET=/run/systemd/notify systemd-notify --pid=${pid} WATCHDOG_USEC=5000000`;
  await run(`kill -STOP ${pid}; ${sooner}`);
  await journalSays(/Watchdog timeout/);
  await successorOf(pid);
  assert.match(await succeed({ method: 'ListDisks', body: {} }), /"data"/);
});

test('at shutdown it outlives the guests, and at the next boot they have their disks again', async () => {
  await run('virsh -q autostart web');
  await host.reboot();
  const lines = (await run('journalctl --boot -1 --output short-monotonic')).split('\n');
  const guestEnds = lineOf(/Shutdown of .*web.* complete/, lines);
  const daemonEnds = lineOf(/Stopping sltv\.service/, lines);
  assert.ok(guestEnds < daemonEnds, lines.slice(Math.min(guestEnds, daemonEnds)).join('\n'));
  await startsBeforeLibvirt();
  await web.up();
  await web.verify('4M', { disk: 'vda', mark: 1 });
  await web.verify('4M', { disk: 'vdb', mark: 2 });
});

test('metrics are switched on as their page says, under a guest that goes on', async () => {
  const page = blocksOf('docs/monitoring.md');
  const config = page.find(({ language }) => language === 'ts')?.text ?? '';
  await host.run('cat > /etc/sltv/sltv.config.ts', { input: config });
  for (const { text, shown = '' } of page.filter(({ language }) => language === 'sh')) {
    const said = await run(text);
    assert.ok(hasShape(said, shown), said);
  }
  await web.verify('4M', { disk: 'vda', mark: 1 });
});

test('on a host that has no libvirt the daemon is ready all the same, and makes disks', async () => {
  await run('virsh -q destroy web');
  await run('systemctl mask --now libvirtd.service libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket');
  await run('rm /usr/bin/virsh /usr/sbin/libvirtd && systemctl restart sltv.service');
  await succeed({ method: 'CreateDisk', body: { name: 'alone', sizeBytes: '16777216' } });
  assert.match(await succeed({ method: 'ListDisks', body: {} }), /"alone"/);
});

test.run();
