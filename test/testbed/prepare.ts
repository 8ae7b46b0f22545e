// Makes what test-bed hosts boot from, into .cache/testbed: the Debian kernel, two initial file systems, an empty system
// disk, the small guest. Run by setup.mjs; does nothing when all is there and made from the present sources.
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { fingerprint, paths, preparedFrom } from './bootfiles.ts';
import { Host } from './host.ts';
import { diskFile } from './rundir.ts';

const HOST_MODULES = [
  'virtio_pci',
  '9pnet_virtio',
  '9p',
  'overlay',
  'crc32c_generic',
  'ext4',
  'nvme',
  'virtio_blk',
  'virtio_console',
  'dm_mod',
];
const GUEST_MODULES = ['virtio_pci', 'virtio_blk'];
const SYSTEM_DISK_SIZE = '8G';

if (preparedFrom() !== fingerprint()) {
  try {
    await prepare();
  } catch (error) {
    process.stderr.write(`test bed: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

async function prepare(): Promise<void> {
  await mkdir(paths.download, { recursive: true });
  await rm(paths.stamp, { force: true });
  const version = await unpackKernel();
  say('building the initial file systems, the small guest and an empty system disk');
  await extractVmlinux(version);
  await packInitramfs(version, paths.initramfs, HOST_MODULES, 'inside/initramfs-init');
  await packInitramfs(version, paths.linuxGuest, GUEST_MODULES, 'guests/linux-init');
  await assembleTinyGuest();
  await makeSystemDisk();
  say('booting a first host, to install there what all have');
  await install();
  await writeFile(paths.stamp, `${fingerprint()}\n`);
}

function say(what: string): void {
  process.stdout.write(`test bed: ${what}\n`);
}

/** Unpacks Debian's full kernel package (the cloud one has no 9p), downloaded when it isn't here; returns its version. */
async function unpackKernel(): Promise<string> {
  const present = (await readdir(join(paths.kernel, 'lib', 'modules')).catch(() => []))[0];
  if (present !== undefined) return present;
  const { stdout } = await execa('apt-cache', ['depends', 'linux-image-amd64'], { timeout: 60_000 });
  const version = /Depends: linux-image-(\S+-amd64)$/m.exec(stdout)?.[1];
  if (version === undefined) throw new Error('apt knows no kernel: run apt-get update');
  const name = `linux-image-${version}`;
  const downloaded = async () =>
    (await readdir(paths.download)).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
  if ((await downloaded()) === undefined) {
    say(`downloading ${name} (70 MB)`);
    await execa('apt-get', ['download', '-q', '-o', 'APT::Sandbox::User=', '-o', 'Acquire::Retries=3', name], {
      cwd: paths.download,
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 900_000,
    });
  }
  const file = await downloaded();
  if (file === undefined) throw new Error(`apt-get download left no ${name} in ${paths.download}`);
  say(`unpacking ${file}`);
  const unpacked = await mkdtemp(`${paths.kernel}-`);
  await execa('dpkg', ['-x', join(paths.download, file), unpacked], { timeout: 300_000 });
  await execa('/sbin/depmod', ['-b', unpacked, version], { timeout: 120_000 });
  await chmod(unpacked, 0o755);
  await rename(unpacked, paths.kernel);
  return version;
}

/** The kernel without its compression, which QEMU starts directly: unpacking it in an emulated machine takes 2 s. */
async function extractVmlinux(version: string): Promise<void> {
  const image = await readFile(join(paths.kernel, 'boot', `vmlinuz-${version}`));
  // The x86 boot protocol: setup sectors at 0x1f1, payload offset and length at 0x248.
  const setup = (image.readUInt8(0x1f1) + 1) * 512;
  const begin = setup + image.readUInt32LE(0x248);
  const payload = image.subarray(begin, begin + image.readUInt32LE(0x24c));
  const { stdout } = await execa('xz', ['-dc', '--single-stream'], {
    input: payload,
    encoding: 'buffer',
    maxBuffer: 2 ** 30,
    timeout: 120_000,
  });
  await writeFile(paths.vmlinux, stdout);
}

/** An initial file system: busybox, kernel modules with what they need in the order of loading, and our /init. */
async function packInitramfs(version: string, output: string, modules: readonly string[], init: string): Promise<void> {
  const tree = await mkdtemp(`${output}-`);
  try {
    for (const name of ['bin', 'proc', 'sys', 'dev', 'lower', 'system', 'new', 'modules'])
      await mkdir(join(tree, name));
    await copyFile('/bin/busybox', join(tree, 'bin', 'busybox'));
    const { stdout: commands } = await execa('/bin/busybox', ['--list']);
    for (const name of commands.split('\n')) if (name !== 'busybox') await symlink('busybox', join(tree, 'bin', name));
    const base = join(paths.kernel, 'lib', 'modules', version);
    const files = await inLoadingOrder(base, modules);
    for (const file of files) await copyFile(join(base, file), join(tree, 'modules', basename(file)));
    await writeFile(join(tree, 'modules', 'order'), files.map((file) => `${basename(file)}\n`).join(''));
    await copyFile(join(paths.sources, init), join(tree, 'init'));
    await chmod(join(tree, 'init'), 0o755);
    await execa('find . | cpio --create --format newc --owner 0:0 --quiet | gzip -1 > "$OUTPUT"', {
      shell: '/bin/bash',
      cwd: tree,
      env: { OUTPUT: output },
      timeout: 120_000,
    });
  } finally {
    await rm(tree, { recursive: true });
  }
}

/** The files of these modules and of all they depend on, each after what it needs; what is built in has no file. */
async function inLoadingOrder(base: string, modules: readonly string[]): Promise<string[]> {
  const name = (file: string) => basename(file, '.ko').replaceAll('-', '_');
  const needs = new Map<string, { file: string; dependencies: string[] }>();
  for (const line of (await readFile(join(base, 'modules.dep'), 'utf8')).split('\n')) {
    const [file, rest] = line.split(':');
    if (file !== undefined && rest !== undefined)
      needs.set(name(file), { file, dependencies: rest.split(' ').filter(Boolean).map(name) });
  }
  const builtin = new Set((await readFile(join(base, 'modules.builtin'), 'utf8')).split('\n').map(name));
  const ordered = new Set<string>();
  const visit = (module: string): void => {
    if (builtin.has(module)) return;
    const found = needs.get(module);
    if (found === undefined) throw new Error(`the kernel has no module ${module}`);
    found.dependencies.forEach(visit);
    ordered.add(found.file);
  };
  modules.forEach(visit);
  return [...ordered];
}

async function assembleTinyGuest(): Promise<void> {
  const object = `${paths.tinyGuest}.o`;
  await execa('as', ['--32', join(paths.sources, 'guests', 'tiny.s'), '-o', object], { timeout: 30_000 });
  await execa(
    'ld',
    ['-m', 'elf_i386', '-N', '-s', '--no-warn-rwx-segments', '-Ttext', '0x100000', '-o', paths.tinyGuest, object],
    { timeout: 30_000 },
  );
  await rm(object);
}

/** An empty file system with nothing left for the kernel to initialise while a host runs. */
async function makeSystemDisk(): Promise<void> {
  await rm(paths.systemDisk, { force: true });
  await execa('truncate', ['-s', SYSTEM_DISK_SIZE, paths.systemDisk]);
  const options = [
    '-N',
    '65536',
    '-J',
    'size=16',
    '-m',
    '0',
    '-E',
    'lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0',
  ];
  await execa('/sbin/mkfs.ext4', ['-q', '-F', ...options, paths.systemDisk], { timeout: 120_000 });
}

/** Boots a host with an empty system disk and installs there what all hosts have; its disk is then theirs. */
async function install(): Promise<void> {
  await using host = new Host({ name: 'first', libvirt: false });
  await host.create();
  await host.run(`'${join(paths.sources, 'inside', 'install.sh')}' '${paths.root}'`, { timeout: 120_000 });
  await host.shutdown();
  await execa('cp', ['--sparse=always', diskFile(host.directory, 'system'), paths.systemDisk], { timeout: 120_000 });
}
