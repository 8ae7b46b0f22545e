// A daemon that can't be what it is asked to be, and clients that don't find theirs.
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { EXECUTABLE, IMPORTS, ownDaemon, type, within } from '../fixtures/executable.ts';
import { judge, type Mistake } from '../fixtures/mistake.ts';

const told = async (mistake: Mistake, env: Readonly<Record<string, string>> = {}) =>
  judge(mistake, await type(mistake.typed, env));

/** The command that starts a daemon in a folder, on a socket of ours. */
function daemonOn(folder: string, socket: string, more = ''): string {
  const config = join(folder, 'other.config.mjs');
  writeFileSync(
    config,
    `${IMPORTS}export default { ${within(folder)}, listen: [{ unix: '${socket}' }], ${more} plugins: [dir()] };`,
  );
  return `sltv daemon --config ${config}`;
}

const badSocket = { kind: 'refused', code: 'core/bad-socket' } as const;

test('a daemon takes no file for its socket, and leaves it as it is', async () => {
  await using folder = await trustedFolder();
  const file = join(folder.path, 'notes.txt');
  writeFileSync(file, 'precious');
  await told({
    ...badSocket,
    typed: daemonOn(folder.path, file),
    says: `${file} is there and is not a socket`,
    hint: 'move it away, or choose another path under listen',
  });
  assert.is(readFileSync(file, 'utf8'), 'precious');
  await told({
    ...badSocket,
    typed: daemonOn(folder.path, folder.path),
    says: `${folder.path} is there and is not a socket`,
    hint: 'listen',
  });
  await told({
    ...badSocket,
    typed: daemonOn(folder.path, `${file}/s`),
    says: `a part of ${file}/s is a file`,
    hint: 'choose another path under listen',
  });
  assert.is(readFileSync(file, 'utf8'), 'precious');
});

test('a daemon does not push another from its socket, nor share its run directory', async () => {
  await using folder = await trustedFolder();
  await using daemon = await ownDaemon(join(folder.path, 'first'), 'dir()');
  const socket = join(folder.path, 'first/socket');
  const inode = lstatSync(socket).ino;
  await told({
    ...badSocket,
    typed: daemonOn(folder.path, socket),
    says: `another daemon answers on ${socket}`,
    hint: 'systemctl stop sltv',
  });
  await told({
    ...badSocket,
    typed: daemonOn(join(folder.path, 'first'), join(folder.path, 'elsewhere')),
    says: `another sltv daemon runs with the directory ${join(folder.path, 'first/run')}`,
    hint: 'a second daemon on one host needs a runDir, a stateDir and a socket of its own',
  });
  assert.is(lstatSync(socket).ino, inode);
  assert.is((await type('sltv status', daemon.env)).code, 0);
});

test('a group that is not there is named', async () => {
  await using folder = await trustedFolder();
  const config = join(folder.path, 'c.mjs');
  writeFileSync(
    config,
    `${IMPORTS}export default { ${within(folder.path)}, listen: [{ unix: '${folder.path}/s', group: 'nosuchgroup' }], plugins: [dir()] };`,
  );
  await told({
    typed: `sltv daemon --config ${config}`,
    kind: 'invalid',
    code: 'core/config',
    says: 'there is no group nosuchgroup in /etc/group',
    hint: 'groupadd --system nosuchgroup',
  });
});

test('who is not root is told so, whatever they try', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sltv-mistakes-'));
  try {
    // Where nobody may go, as into root's home, there is nothing to run.
    copyFileSync(EXECUTABLE, join(folder, 'sltv'));
    await type(`chmod 755 ${folder} ${folder}/sltv`);
    const as = `setpriv --reuid=65534 --regid=65534 --clear-groups ${folder}/sltv`;
    const denied = { kind: 'denied', code: 'core/denied', hint: 'run it as root' } as const;
    const state = { SLTV_STATE_DIR: join(folder, 'state') };
    await told({ ...denied, typed: `${as} daemon`, says: 'sltv may not mkdir /run/sltv' }, state);
    await told({ ...denied, typed: `${as} init --hooks`, says: /sltv may not (mkdir|open) / }, state);
    await using own = await trustedFolder();
    await told(
      {
        ...denied,
        typed: `${as} config check --config ${own.path}/c.ts`,
        says: `${own.path}/c.ts can't be read by this user`,
      },
      state,
    );
    await using daemon = await ownDaemon(own.path, 'dir()');
    await told(
      {
        ...denied,
        typed: `${as} disk list`,
        says: /^sltv: you may not open|you may not open unix:/,
        hint: "become a member of the socket's group",
      },
      daemon.env,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a socket for viewers refuses what changes anything, and names the role', async () => {
  await using folder = await trustedFolder();
  await using daemon = await ownDaemon(
    folder.path,
    'dir()',
    {},
    `listen: [{ unix: '${folder.path}/socket', role: 'viewer' }],`,
  );
  const denied = {
    kind: 'denied',
    code: 'core/denied',
    hint: 'use another socket of the daemon, or another certificate, or change the role',
  } as const;
  await told(
    { ...denied, typed: 'sltv disk create a --size 1M', says: 'disk.create needs the role operator, and unix:' },
    daemon.env,
  );
  await told(
    { ...denied, typed: 'sltv pool create p /dev/loop0', says: 'pool.create needs the role admin' },
    daemon.env,
  );
  assert.is((await type('sltv disk list', daemon.env)).code, 0);
  assert.equal(readdirSync(join(folder.path, 'state/disks')), []);
});

test('who finds no daemon is told where it was looked for', async () => {
  await using folder = await trustedFolder();
  const file = join(folder.path, 'file');
  writeFileSync(file, '');
  const none = { kind: 'unavailable', code: 'core/no-daemon' } as const;
  const nowhere = `unix://${folder.path}/none`;
  await told({
    ...none,
    typed: `sltv disk list --addr ${nowhere}`,
    says: `no daemon answers on ${nowhere}`,
    hint: 'systemctl start sltv, or sltv daemon',
  });
  await told(
    { ...none, typed: 'sltv disk list', says: `no daemon answers on ${nowhere}`, hint: 'systemctl start sltv' },
    { SLTV_ADDR: nowhere },
  );
  await told({
    ...none,
    typed: `sltv disk list --addr ${file}`,
    says: `${file} is a file, not a daemon's socket`,
    hint: '--addr or SLTV_ADDR',
  });
  await told({ ...none, typed: `sltv disk list --addr ${folder.path}`, says: 'is a directory', hint: '--addr' });
  await told({
    typed: `sltv foo --addr ${nowhere}`,
    kind: 'invalid',
    code: 'core/unknown-verb',
    says: "sltv itself has no 'foo'",
    hint: 'start the daemon',
  });
  assert.is(readFileSync(file, 'utf8'), '');
});

test('a tool that the host lacks is named with its package, and nothing is left of what was begun', async () => {
  await using folder = await trustedFolder();
  const bin = join(folder.path, 'bin');
  mkdirSync(bin);
  const [flock] = (await type('command -v flock')).stdout.split('\n');
  symlinkSync(flock ?? '', join(bin, 'flock'));
  await using daemon = await ownDaemon(folder.path, 'lvm(), dir(), libvirt(), localLock()', { PATH: bin });
  const lacks = (typed: string, tool: string, pack: string) =>
    told(
      {
        typed,
        kind: 'unavailable',
        code: 'core/no-tool',
        says: `${tool} could not be started on this host`,
        hint: `install the package that has it: ${pack}`,
      },
      daemon.env,
    );
  await lacks('sltv pool create vg0 /dev/loop0', 'lvm', 'lvm2');
  await lacks('sltv disk create a --size 1M --pool vg-sltv', 'lvm', 'lvm2');
  await lacks('sltv vm list', 'virsh', 'libvirt-clients');
  await lacks('sltv disk create a --thin --virtual-size 1G', 'qemu-img', 'qemu-utils');
  await lacks('sltv disk create a --size 1M', 'fallocate', 'util-linux');
  const pools = await type('sltv pool list', daemon.env);
  assert.is(pools.code, 0, 'a host without lvm2 still has its directories');
  assert.match(pools.stdout, /^disks +dir/m);
  assert.equal(
    readdirSync(join(folder.path, 'state/disks')).filter((name) => name !== '.sltv'),
    [],
  );
  assert.match(daemon.log(), /LVM can't be asked for volume groups: lvm could not be started/);
  rmSync(join(bin, 'flock'));
  const typed = daemonOn(folder.path, join(folder.path, 'second'));
  await told({
    typed: `PATH=${bin} ${typed.replace('sltv', EXECUTABLE)}`,
    kind: 'unavailable',
    code: 'core/no-tool',
    says: 'flock could not be started',
    hint: 'util-linux',
  });
});

test('a deadline that is too short is told so', async () => {
  await using folder = await trustedFolder();
  await using daemon = await ownDaemon(folder.path, 'dir()');
  await told(
    {
      typed: 'sltv disk list --timeout 1ms',
      kind: 'timeout',
      code: 'core/timeout',
      says: /deadline|did not answer within 1 ms/,
      hint: '--timeout',
    },
    daemon.env,
  );
});

test.run();
