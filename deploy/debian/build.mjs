// node deploy/debian/build.mjs [VERSION [FOLDER]]: makes FOLDER/sltv_VERSION_ARCH.deb of dist/sltv, which has to be built. dpkg-deb
// does the packing. By default it is the version of package.json, in dist.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { manPage } from '../../core/cli/man.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const { description, license, ...manifest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [version = manifest.version, folder = dist] = process.argv.slice(2);
const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch;
/** Where each shell looks. */
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/sltv',
  zsh: 'usr/share/zsh/vendor-completions/_sltv',
  fish: 'usr/share/fish/vendor_completions.d/sltv.fish',
};
const DOC = 'usr/share/doc/sltv';
/** What people read, copy and change, laid out as in the sources, so that the links between them hold. */
const DOCUMENTS = [
  '{README,CHANGELOG}.md',
  'docs/**/*.md',
  'plugins/*/README.md',
  'deploy/{config,docker,grafana,prometheus}/*',
  'deploy/systemd/README.md',
  'examples/*/*.{md,ts,mjs,sh,service}',
];

// Beside the result, so that it can be moved into place.
mkdirSync(folder, { recursive: true });
const stage = mkdtempSync(join(folder, '.deb-'));
try {
  chmodSync(stage, 0o755);
  place('usr/bin/sltv', join(dist, 'sltv'), 0o755);
  write('usr/lib/systemd/system/sltv.service', unit());
  place('usr/lib/systemd/system/sltv.socket', join(root, 'deploy/systemd/sltv.socket'), 0o644);
  for (const [shell, path] of Object.entries(COMPLETIONS)) write(path, sltv('completion', 'script', shell));
  write('usr/share/man/man1/sltv.1.gz', gzipSync(await manPage(version), { level: 9 }));
  for (const path of globSync(DOCUMENTS, { cwd: root })) place(`${DOC}/${path}`, join(root, path));
  write(`${DOC}/copyright`, copyright());
  for (const script of ['postinst', 'prerm', 'postrm'])
    place(`DEBIAN/${script}`, join(import.meta.dirname, script), 0o755);
  write('DEBIAN/control', control());
  const name = `sltv_${version}_${architecture}.deb`;
  const made = `${stage}.deb`;
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z1', '--build', stage, made], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  renameSync(made, join(folder, name));
  console.log(`${relative('', join(folder, name))}  ${(statSync(join(folder, name)).size / 1e6).toFixed(1)} MB`);
} finally {
  rmSync(stage, { recursive: true, force: true });
  rmSync(`${stage}.deb`, { force: true });
}

/** The unit of whoever copies the executable by hand, with the place where a package puts it. */
function unit() {
  const text = readFileSync(join(root, 'deploy/systemd/sltv.service'), 'utf8');
  const packaged = text.replace('/usr/local/bin/sltv', '/usr/bin/sltv');
  if (packaged === text) throw new Error('deploy/systemd/sltv.service starts /usr/local/bin/sltv no more');
  return packaged;
}

function control() {
  const size = Math.ceil(Number(execFileSync('du', ['-sk', join(stage, 'usr')], { encoding: 'utf8' }).split('\t')[0]));
  return `Package: sltv
Version: ${version}
Architecture: ${architecture}
Maintainer: sltv <sltv@localhost>
Installed-Size: ${size}
Depends: lvm2, util-linux, qemu-utils, passwd
Recommends: libvirt-clients
Suggests: etcd-server
Section: admin
Priority: optional
Description: ${description}
 sltv makes, grows, attaches and removes virtual disks of KVM guests on LVM,
 thick or thin, on one host or on many that share a Volume Group. A thin disk
 grows before its guest can fill it. The executable is daemon and client.
`;
}

function copyright() {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sltv

Files: *
License: ${license}
Comment: the executable has Node.js inside, and the packages that docs/dependencies.md
 of the sources names; each has a license of its own.
`;
}

function sltv(...words) {
  return execFileSync(join(dist, 'sltv'), words, { encoding: 'utf8' });
}

function write(path, contents, mode = 0o644) {
  const target = join(stage, path);
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  writeFileSync(target, contents);
  chmodSync(target, mode);
}

function place(path, from, mode) {
  write(path, readFileSync(from), mode);
}
