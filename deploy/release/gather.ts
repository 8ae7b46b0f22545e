// All that is handed out of what was built, in one folder, with what it is made of and its checksums.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOfMaterials } from './sbom.ts';

export interface Wanted {
  readonly version: string;
  /** What is new, for whoever gets it. */
  readonly notes: string;
  /** Made anew: what an earlier try left is of no use to anybody. */
  readonly folder: string;
}

/** The names in the folder. */
export function gather(root: string, { version, notes, folder }: Wanted): readonly string[] {
  const dist = join(root, 'dist');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of PROGRAMS) copyFileSync(join(dist, name), join(folder, name));
  mustBeThatVersion(folder, version);
  run(root, process.execPath, 'deploy/debian/build.mjs', version, folder);
  run(root, 'npm', 'pack', '--silent', join(dist, 'package'), '--pack-destination', folder);
  const bundled = JSON.parse(readFileSync(join(dist, 'bundled.json'), 'utf8'));
  writeFileSync(join(folder, 'sltv.cdx.json'), `${JSON.stringify(billOfMaterials(root, bundled), undefined, 2)}\n`);
  writeFileSync(join(folder, 'NOTES.md'), `${notes}\n`);
  const names = readdirSync(folder).sort();
  const sums = names.map((name) => `${sha256(join(folder, name))}  ${name}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
  return [...names, 'SHA256SUMS'];
}

/** As the build names them; the bundle wants the last beside it. */
const PROGRAMS = ['sltv', 'sltv.mjs', 'init.json.br'];

/** What was built says itself what it is. */
function mustBeThatVersion(folder: string, version: string): void {
  for (const program of ['sltv', 'sltv.mjs']) {
    const said = execFileSync(join(folder, program), ['--version'], { encoding: 'utf8' }).trim();
    if (said !== `sltv ${version}`) throw new Error(`${program} --version says '${said}', not 'sltv ${version}'`);
  }
}

function run(root: string, program: string, ...words: readonly string[]): void {
  execFileSync(program, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
