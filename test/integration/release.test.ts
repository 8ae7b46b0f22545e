// What a release consists of, gathered from what is built. When there may be one: test/deploy/release.
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { gather } from '../../deploy/release/gather.ts';
import type { Component } from '../../deploy/release/sbom.ts';
import manifest from '../../package.json' with { type: 'json' };
import { run } from '../fixtures/ways.ts';

const ROOT = join(import.meta.dirname, '../..');
const { version } = manifest;
const DEB = `sltv_${version}_amd64.deb`;

let folder: string;
let names: readonly string[];
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sltv-release-'));
  names = gather(ROOT, { version, notes: '- more disks', folder });
});
test.after(async () => {
  await rm(folder, { recursive: true, force: true });
});

const made = (name: string) => join(folder, name);
const isPackage = ({ purl }: Component) => purl?.startsWith('pkg:npm/') === true;

test('it is the programs, both packages, what they are made of, what is new, and checksums', () => {
  const programs = ['init.json.br', 'sltv', 'sltv.mjs'];
  const all = [...programs, DEB, `sltv-${version}.tgz`, 'sltv.cdx.json', 'NOTES.md', 'SHA256SUMS'].sort();
  assert.equal(readdirSync(folder).sort(), all);
  assert.equal([...names].sort(), all);
  assert.is(readFileSync(made('NOTES.md'), 'utf8'), '- more disks\n');
});

test('each package is of that version', async () => {
  assert.is((await run(['dpkg-deb'], ['--field', made(DEB), 'Version'])).stdout, `${version}\n`);
  const packed = await run(['tar'], ['-xzOf', made(`sltv-${version}.tgz`), 'package/package.json']);
  assert.is(JSON.parse(packed.stdout).version, version);
});

test('sha256sum finds every file as it was made', async () => {
  const { code, stdout } = await run(['sh'], ['-c', `cd ${folder} && sha256sum --check --strict SHA256SUMS`]);
  assert.is(code, 0);
  assert.is(stdout.match(/: OK$/gm)?.length, readdirSync(folder).length - 1);
});

test('the bill of materials lists what esbuild puts into the bundle, and Node, and nothing else', async () => {
  const { bomFormat, metadata, components } = JSON.parse(readFileSync(made('sltv.cdx.json'), 'utf8'));
  assert.equal([bomFormat, metadata.component.name, metadata.component.version], ['CycloneDX', 'sltv', version]);
  const all: readonly Component[] = components;
  const listed = all.filter(isPackage).map(({ name, version }) => `${name} ${version}`);
  assert.equal(listed.toSorted(), await inBundle());
  const [node, ...others] = all.filter((component) => !isPackage(component));
  assert.equal([node?.name, node?.version, others.length], ['node', process.versions.node, 0]);
  const openssl = node?.components?.find(({ name }) => name === 'openssl');
  assert.is(openssl?.version, process.versions.openssl);
});

test('each package in it has a licence and a checksum, and depends on nothing that is not there', () => {
  const { metadata, components, dependencies } = JSON.parse(readFileSync(made('sltv.cdx.json'), 'utf8'));
  const bare = ({ licenses = [], hashes = [] }: Record<string, unknown[]>) => !licenses.length || !hashes.length;
  assert.equal(components.filter(isPackage).filter(bare), []);
  const known = new Set([metadata.component, ...components].map((component) => component['bom-ref']));
  const refs = dependencies.flatMap(({ ref, dependsOn }: { ref: string; dependsOn: string[] }) => [ref, ...dependsOn]);
  assert.equal(
    refs.filter((ref: string) => !known.has(ref)),
    [],
  );
});

test('a program of another version is not handed out as this one', async () => {
  const other = await mkdtemp(join(tmpdir(), 'sltv-release-'));
  try {
    assert.throws(
      () => gather(ROOT, { version: '0.9.0', notes: '', folder: other }),
      /says 'sltv .*', not 'sltv 0.9.0'/,
    );
  } finally {
    await rm(other, { recursive: true, force: true });
  }
});

/** The packages of the program's own metafile, made here without the build's plugins. */
async function inBundle(): Promise<readonly string[]> {
  const { metafile } = await build({
    ...{ entryPoints: [join(ROOT, 'sltv.ts')], absWorkingDir: ROOT, outfile: 'sltv.mjs', write: false, metafile: true },
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node24', logLevel: 'error' },
  });
  const [output] = Object.values(metafile.outputs);
  const files = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  const packages = files.flatMap(([path]) => {
    const parts = path.split('node_modules/');
    if (parts.length === 1) return [];
    const words = (parts.at(-1) ?? '').split('/');
    const name = words.slice(0, words[0]?.startsWith('@') ? 2 : 1).join('/');
    const place = resolve(ROOT, ...parts.slice(0, -1).map((part) => `${part}node_modules`), name);
    return `${name} ${JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')).version}`;
  });
  return [...new Set(packages)].toSorted();
}

test.run();
