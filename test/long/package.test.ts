// The Debian package: installed, upgraded, removed and purged, under a guest that has a disk and writes to it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Guest, type Host, type Stream, testbed } from '../testbed/index.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Seen by the host where it is here. */
const FOLDER = join(ROOT, '.cache/deb');
const HOOK = '/etc/libvirt/hooks/qemu.d/sltv';

const test = suite('the Debian package');
let host: Host;
let daemon: Stream;
let web: Guest;

const build = (version: string) =>
  execFileSync(process.execPath, [join(ROOT, 'deploy/debian/build.mjs'), version, FOLDER], { encoding: 'utf8' });
const install = (version: string) => host.run(`dpkg -i ${FOLDER}/sltv_${version}_amd64.deb`, { timeout: 180_000 });
const isThere = async (path: string) => (await host.run(`test -e ${path}`, { allowFailure: true })).code === 0;
const volumes = async () => (await host.run('vgs --noheadings -o lv_count vg-sltv')).stdout.trim();

/** As systemd would: this host has none. */
async function start(): Promise<void> {
  daemon = host.start('echo $$; exec /usr/bin/sltv daemon 2>&1');
  await daemon.line(/\bready\b/, { timeout: 180_000 });
}

async function stop(): Promise<void> {
  await host.run(`kill -TERM ${daemon.seen[0]}`);
  assert.is((await daemon.ended).code, 0);
}

test.before(async () => {
  mkdirSync(FOLDER, { recursive: true });
  build('0.0.1');
  build('0.0.2');
  host = await testbed.host({ name: 'package', disks: ['512M'], memory: 1024 });
  await host.run('vgcreate -q vg-sltv /dev/vda');
  // The index of all manual pages would take a host in software three minutes.
  await host.run('rm -f /var/lib/man-db/auto-update');
});

test.after(async () => {
  await host?.[Symbol.asyncDispose]();
  rmSync(FOLDER, { recursive: true, force: true });
});

test('it is installed: the executable, the group, the hook, the unit, its page and what shells complete by', async () => {
  await install('0.0.1');
  assert.match((await host.run('/usr/bin/sltv version')).stdout, /^sltv /);
  assert.match((await host.run('getent group sltv')).stdout, /^sltv:/);
  assert.match((await host.run(`cat ${HOOK}`)).stdout, "exec '/usr/bin/sltv' hook qemu");
  assert.match((await host.run('cat /usr/lib/systemd/system/sltv.service')).stdout, 'ExecStart=/usr/bin/sltv daemon');
  assert.is(await isThere('/usr/share/bash-completion/completions/sltv'), true);
  assert.match((await host.run('zcat /usr/share/man/man1/sltv.1.gz')).stdout, '.SS sltv disk create');
  const { stdout } = await host.run('cd /usr/share/doc/sltv && ls docs/quick-start.md deploy/*/sltv.*');
  assert.equal(stdout.trim().split('\n'), [
    'deploy/config/sltv.config.ts',
    'deploy/docker/sltv.container',
    'deploy/grafana/sltv.json',
    'deploy/prometheus/sltv.rules.yml',
    'docs/quick-start.md',
  ]);
  const modes = await host.run('stat -c "%n %U %a" /usr/bin/sltv /usr/lib/systemd/system/sltv.s*');
  assert.equal(modes.stdout.trim().split('\n'), [
    '/usr/bin/sltv root 755',
    '/usr/lib/systemd/system/sltv.service root 644',
    '/usr/lib/systemd/system/sltv.socket root 644',
  ]);
  await host.run('kill -HUP $(cat /run/libvirtd.pid)');
});

test('a guest gets a disk from it', async () => {
  await start();
  web = await host.guest('web');
  await host.run('/usr/bin/sltv disk create data --size 64M && /usr/bin/sltv disk attach data web --target vdb');
  await web.write('8M', { disk: 'vdb', mark: 1 });
});

test('an upgrade under the running guest leaves it and its disk alone, and the next daemon knows both', async () => {
  const writing = web.write('16M', { disk: 'vdb', at: '16M', mark: 2 });
  await install('0.0.2');
  await writing;
  await stop();
  await start();
  assert.match((await host.run('dpkg-query -W sltv')).stdout, '0.0.2');
  assert.match((await host.run('/usr/bin/sltv attachment list')).stdout, /data +web/);
  await web.verify('8M', { disk: 'vdb', mark: 1 });
});

test('removed, it takes its hook along, so that VMs still start; the guest runs on with its disk', async () => {
  await stop();
  await host.run('dpkg -r sltv', { timeout: 180_000 });
  assert.equal([await isThere('/usr/bin/sltv'), await isThere(HOOK)], [false, false]);
  await web.write('8M', { disk: 'vdb', at: '40M', mark: 3 });
  await web.verify('16M', { disk: 'vdb', at: '16M', mark: 2 });
  await host.guest('later');
  assert.is(await volumes(), '1');
});

test('purged, nothing of the daemon’s own is left, and every disk is', async () => {
  await host.run('mkdir -p /var/lib/sltv/disks && echo data > /var/lib/sltv/disks/a-guest.img');
  await host.run('dpkg -P sltv', { timeout: 180_000 });
  assert.is(await isThere('/var/lib/sltv/requests'), false);
  assert.is((await host.run('cat /var/lib/sltv/disks/a-guest.img')).stdout, 'data\n');
  assert.is(await volumes(), '1');
  await web.verify('8M', { disk: 'vdb', at: '40M', mark: 3 });
});

test('installed again, it knows the disk and its VM', async () => {
  await install('0.0.2');
  await start();
  assert.match((await host.run('/usr/bin/sltv attachment list')).stdout, /data +web/);
  await host.run('/usr/bin/sltv disk detach data web');
  await host.run('/usr/bin/sltv disk delete data');
  await stop();
});

test('purged when there is no disk of its own left, it takes all that it ever wrote', async () => {
  await host.run('rm /var/lib/sltv/disks/a-guest.img && dpkg -P sltv', { timeout: 180_000 });
  // Of this host's, it is a mount.
  assert.is((await host.run('ls -A /var/lib/sltv')).stdout, '');
  assert.is((await host.run('dpkg-query -W sltv', { allowFailure: true })).code, 1);
});

test.run();
