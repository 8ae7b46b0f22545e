// node deploy/release/release.ts [--dry-run]: makes of a commit that is tagged as a version all that is handed out of it, in
// dist/release. It publishes nothing: it says what to type. --dry-run tells what is in the way, and makes nothing.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { sectionsOf } from './changelog.ts';
import { gather } from './gather.ts';
import { readiness } from './readiness.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'dist/release');
const here = relative('', folder);

const isDryRun = readWords();
const { version, tag, obstacles } = readiness(root);
for (const { what, hint } of obstacles) console.error(`release: ${what}\nhint: ${hint}`);
if (obstacles.length > 0) process.exitCode = 1;
else if (isDryRun) console.log(`release: ${version} can be made; without --dry-run it would be, in ${here}`);
else make();

function readWords(): boolean {
  try {
    return parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } }).values['dry-run'];
  } catch (error) {
    console.error(`release: ${error instanceof Error ? error.message.split('. ')[0] : error}`);
    console.error('hint: npm run release -- --dry-run; it takes nothing else, and the version is that of package.json');
    process.exit(2);
  }
}

function make(): void {
  execFileSync(process.execPath, ['build.mjs'], { cwd: root, stdio: 'inherit' });
  const sections = sectionsOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'));
  const notes = sections.find(({ title }) => title === version)?.text ?? '';
  const names = gather(root, { version, notes, folder });
  console.log(`
release: sltv ${version} is in ${here}, and nowhere else: ${names.join(', ')}
To publish it, type:
  npm test && npm test -- long
  (cd ${here} && sha256sum --check SHA256SUMS && gpg --armor --detach-sign SHA256SUMS)
  git push origin ${tag}
  npm publish ${here}/${names.find((name) => name.endsWith('.tgz'))}
and hand out the files of ${here}, with NOTES.md as what to say about them.`);
}
