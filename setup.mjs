// node setup.mjs [SCRIPT [ARGS…]]: gives a fresh machine what the script needs, then runs `npm run SCRIPT -- ARGS…` with
// its exit status. Without a script it prepares everything and ends. Plain JavaScript: Node 20 runs it before any package
// is there. The script runs in a new npm process, because the shell that started this one remembers the old `node`.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Scripts that boot test-bed hosts; SLTV_TESTBED=unavailable:WHY keeps them from it. */
const NEED_HOSTS = ['demo:story', 'test:layers', 'bench:run'];
/** Layers of test:layers that need nothing but npm packages, and those that need no more than an etcd beside them. */
const NEED_NOTHING = ['static'];
const NEED_ETCD = ['unit'];

/** A cluster's locks are tried out on a real etcd, with certificates of its own. */
const ETCD = ['etcd-server', 'etcd-client', 'openssl'];

/** What the hosts are booted with, and what shall be installed in them: they see this machine's root file system. */
const PACKAGES = [
  ...['lvm2', 'thin-provisioning-tools', 'udev', 'systemd', 'dbus', 'kmod', 'e2fsprogs', 'util-linux', 'python3'],
  ...['qemu-system-x86', 'qemu-utils', 'libvirt-daemon-system', 'libvirt-clients'],
  ...['iproute2', 'tgt', 'open-iscsi', ...ETCD],
  // A client in another language, for the examples of docs/api.md.
  ...['python3-grpcio', 'python3-grpc-tools'],
  // What the image of deploy/docker is tried out with, and the shells that complete sltv.
  ...['mmdebstrap', 'zsh', 'fish'],
  ...['busybox-static', 'cpio', 'gzip', 'xz-utils', 'binutils', 'curl', 'ca-certificates'],
];
/** Needs neither hosts nor the rest: real lvm2 on loop devices, and an etcd. */
const STORM = 'storm:run';
/** Debian's Prometheus, which scrapes a daemon in tests and tries out the alerts. */
const PROMETHEUS = '.cache/prometheus';
const APT_LOG = '.cache/apt.log';
const MINUTES = 60_000;

const root = dirname(fileURLToPath(import.meta.url));
const [script, ...args] = process.argv.slice(2);
process.chdir(root);

const nodeMajor = Number(process.versions.node.split('.')[0]);
if (nodeMajor < 20) stop(`Node 20 or newer is needed, this is ${process.version}`);
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
if (script !== undefined && !(script in scripts)) stop(`package.json has no script ${script}`);
installModules();
if (needsHosts()) {
  const obstacle = process.env.SLTV_TESTBED ? undefined : prepareHosts();
  if (obstacle !== undefined) {
    say(`no test-bed hosts: ${obstacle}`);
    say('what needs none (static checks, unit tests, the build) runs all the same');
    process.env.SLTV_TESTBED = `unavailable:${obstacle}`;
    if (script === undefined) process.exitCode = 1;
  }
}
if (needsEtcd()) {
  const obstacle = prepareEtcd();
  if (obstacle !== undefined) say(`no etcd, so that the tests of clusters will fail: ${obstacle}`);
}
if (needsParts()) {
  const obstacle = preparePrometheus();
  if (obstacle !== undefined) say(`no Prometheus, so that the tests of metrics and alerts will fail: ${obstacle}`);
  const missing = prepareImage();
  if (missing !== undefined) say(`no Debian for the image of deploy/docker, so that its test will fail: ${missing}`);
}
if (script !== undefined) run(script, args);

function needsHosts() {
  if (script === undefined) return true;
  return NEED_HOSTS.includes(script) && !isLight([...NEED_NOTHING, ...NEED_ETCD]);
}

function needsEtcd() {
  return script === undefined || script === STORM || (NEED_HOSTS.includes(script) && !isLight(NEED_NOTHING));
}

/** What some integration tests begin with. */
function needsParts() {
  return script === undefined || (script === 'test:layers' && !isLight([...NEED_NOTHING, ...NEED_ETCD]));
}

/** Whether these layers are all that is asked for. */
function isLight(layers) {
  return script === 'test:layers' && args.length > 0 && args.every((name) => layers.includes(name));
}

/**
 * Brings node_modules to what package-lock.json says. Not by `npm ci`: it refuses a lock without the optional packages of
 * every other platform, and npm leaves those out whenever it writes the lock beside an existing node_modules.
 */
function installModules() {
  if (isInstalled()) return;
  say('installing the npm packages of package-lock.json');
  const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, signal } = npmSync(['install', ...flags], 20 * MINUTES);
  if (status !== 0) stop(`npm install ended with ${signal ?? `status ${status}`}; its words are above`);
  if (!existsSync(ownNode()) && nodeMajor < 24)
    stop(`there is no Node 24 for ${process.arch} among the packages: install it`);
}

/** npm notes in node_modules what it installed; optional packages for other platforms are rightly absent. */
function isInstalled() {
  const wanted = readLock('package-lock.json');
  const present = readLock(join('node_modules', '.package-lock.json'));
  if (present === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || (present[path] ? present[path].version === version : optional),
  );
}

function readLock(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined;
}

/** Debian packages and boot files. Returns why there can be no hosts on this machine, if so. */
function prepareHosts() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `they need x86-64 Linux, this is ${process.arch} ${process.platform}`;
  mkdirSync('.cache', { recursive: true });
  const release = osRelease();
  if (release.ID !== 'debian') return `they need Debian 12, this is ${release.PRETTY_NAME ?? 'another system'}`;
  const missing = missingPackages(PACKAGES);
  if (missing.length > 0) {
    const obstacle = addPackages(missing);
    if (obstacle !== undefined) return obstacle;
  } else if (process.getuid() === 0 && !existsSync('.cache/testbed/kernel') && !apt(['update'])) {
    return 'apt-get update failed, see above; it has to know which kernel there is';
  }
  return runAlone('test/testbed/prepare.ts') ? undefined : 'their boot files could not be made, the reason is above';
}

/** Returns why there can be none, if so. */
function prepareImage() {
  if (spawnSync('which', ['mmdebstrap']).status !== 0) return 'the Debian package mmdebstrap is missing';
  if (process.getuid() !== 0) return 'making one needs root';
  return runAlone('test/image/prepare.ts') ? undefined : 'its Debian could not be made, the reason is above';
}

/** Whether it went well. */
function runAlone(file) {
  const node = existsSync(ownNode()) ? ownNode() : process.execPath;
  const alone = ['--timeout', '1200', '.cache/testbed.lock'];
  const { status } = spawnSync('flock', [...alone, node, file], { stdio: 'inherit', timeout: 40 * MINUTES });
  return status === 0;
}

/** Nothing where they are there, however they came; returns why there can be none, if so. */
function prepareEtcd() {
  const programs = ['etcd', 'etcdctl', 'openssl', ...(script === STORM ? ['lvm'] : [])];
  if (programs.every((name) => spawnSync('which', [name]).status === 0)) return undefined;
  if (osRelease().ID !== 'debian') return `install ${programs.join(', ')} as your system has them`;
  mkdirSync('.cache', { recursive: true });
  return addPackages(missingPackages(script === STORM ? [...ETCD, 'lvm2'] : ETCD));
}

/** Unpacked, not installed: its service would run here, and on every host of the test bed. Returns why there can be none, if so. */
function preparePrometheus() {
  const isThere = (name) => existsSync(join(PROMETHEUS, 'usr/bin', name)) || spawnSync('which', [name]).status === 0;
  if (['prometheus', 'promtool'].every(isThere)) return undefined;
  if (osRelease().ID !== 'debian') return 'install prometheus and promtool as your system has them';
  mkdirSync(PROMETHEUS, { recursive: true });
  say(`unpacking the Debian package prometheus into ${PROMETHEUS} (what apt says is in ${APT_LOG})`);
  if (process.getuid() === 0) apt(['update']);
  if (!apt(['download', 'prometheus'], PROMETHEUS)) return 'apt-get download failed, see above';
  for (const file of readdirSync(PROMETHEUS).filter((name) => name.endsWith('.deb'))) {
    const { status } = spawnSync('dpkg-deb', ['-x', join(PROMETHEUS, file), PROMETHEUS], { stdio: 'inherit' });
    rmSync(join(PROMETHEUS, file));
    if (status !== 0) return `dpkg-deb could not unpack ${file}`;
  }
  return undefined;
}

function addPackages(names) {
  const line = `apt-get update && apt-get install -y --no-install-recommends ${names.join(' ')}`;
  if (process.getuid() !== 0)
    return `packages are missing and this is not root; install them with: sudo sh -c '${line}'`;
  say(`installing Debian packages: ${names.join(' ')} (a minute or two; what apt says is in ${APT_LOG})`);
  return apt(['update']) && installPackages(names) ? undefined : `apt-get failed, see above; by hand: ${line}`;
}

function osRelease() {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?(.*?)"?$/gm);
    return Object.fromEntries([...lines].map(([, key, value]) => [key, value]));
  } catch {
    return {};
  }
}

function missingPackages(names) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
  const format = '${Package} ${db:Status-Status}\\n';
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', format, ...names], { encoding: 'utf8' });
  return names.filter((name) => !stdout.split('\n').includes(`${name} installed`));
}

/** Starts none of the daemons that come with the packages: the hosts have their own, and this machine asked for none. */
function installPackages(names) {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return apt(['install', '-y', '--no-install-recommends', ...names]);
  } finally {
    if (isOurs) rmSync(policy);
  }
}

/** apt-get, with the patience that another apt or a slow mirror asks for; shows its last words when it fails. */
function apt(words, folder = '.') {
  const patience = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3', '-o', 'Acquire::http::Timeout=60'];
  const log = openSync(APT_LOG, 'w');
  const { status } = spawnSync('apt-get', ['-q', ...patience, ...words], {
    stdio: ['ignore', log, log],
    cwd: folder,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 30 * MINUTES,
  });
  closeSync(log);
  if (status !== 0) console.error(readFileSync(APT_LOG, 'utf8').split('\n').slice(-20).join('\n'));
  return status === 0;
}

/** The Node that the packages bring along. */
function ownNode() {
  return join(root, 'node_modules', '.bin', 'node');
}

function run(name, words) {
  const [program, ...before] = npm();
  const child = spawn(program, [...before, 'run', '--silent', name, '--', ...words], { stdio: 'inherit' });
  // A terminal's ^C reaches npm by itself, a `kill` reaches only us.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('error', (error) => stop(`npm could not be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function npmSync(words, timeout) {
  const [program, ...before] = npm();
  return spawnSync(program, [...before, ...words], { stdio: 'inherit', timeout });
}

/** The npm that started us, under the Node that it was started with; else the one on the path. */
function npm() {
  const own = process.env.npm_execpath;
  return own ? [process.execPath, own] : ['npm'];
}

function say(what) {
  console.log(`setup: ${what}`);
}

function stop(why) {
  console.error(`setup: ${why}`);
  process.exit(1);
}
