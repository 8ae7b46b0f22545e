// Whether what is checked out here may be released. Everything that is wrong is told at once.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sectionsOf } from './changelog.ts';

export interface Obstacle {
  readonly what: string;
  /** What to do, or what to type. */
  readonly hint: string;
}

export interface Readiness {
  readonly version: string;
  /** Of the version. */
  readonly tag: string;
  readonly obstacles: readonly Obstacle[];
}

export function readiness(root: string): Readiness {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tag = `v${version}`;
  if (git(root, 'rev-parse', '--verify', 'HEAD') === undefined) {
    const what = `${root} is no git repository with a commit`;
    return { version, tag, obstacles: [{ what, hint: 'release from a clone: its tags say what was released' }] };
  }
  const obstacles = [...inVersion(root, version), ...inChangelog(root, version), ...inTree(root), ...inTags(root, tag)];
  return { version, tag, obstacles };
}

/** Three numbers, because npm and Debian sort `0.2.0-rc.1` on different sides of `0.2.0`. */
function* inVersion(root: string, version: string): Iterable<Obstacle> {
  if (!/^\d+\.\d+\.\d+$/.test(version))
    yield { what: `package.json has the version ${version}`, hint: 'write three numbers: 0.2.0' };
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).version;
  if (locked !== version)
    yield { what: `package.json has the version ${version}, package-lock.json ${locked}`, hint: BUMP };
}

const BUMP = 'npm version --no-git-tag-version minor raises both, and commits nothing';

function* inChangelog(root: string, version: string): Iterable<Obstacle> {
  const path = join(root, 'CHANGELOG.md');
  const sections = existsSync(path) ? sectionsOf(readFileSync(path, 'utf8')) : [];
  const ours = sections.find(({ title }) => title === version);
  const next = sections.find(({ title }) => title === 'Unreleased');
  const heading = `## [${version}] - ${new Date().toISOString().slice(0, 10)}`;
  if (ours === undefined)
    yield { what: `CHANGELOG.md has no section ${version}`, hint: `head what is new with: ${heading}` };
  else if (ours.date === undefined)
    yield { what: `CHANGELOG.md does not say when ${version} came out`, hint: `write: ${heading}` };
  else if (ours.text === '')
    yield { what: `CHANGELOG.md says nothing about ${version}`, hint: 'write what changed for who runs sltv' };
  if (ours !== undefined && next !== undefined && next.text !== '')
    yield {
      what: 'CHANGELOG.md has changes under [Unreleased], which this release would contain unsaid',
      hint: `move them to ${version}`,
    };
}

function* inTree(root: string): Iterable<Obstacle> {
  const changed = lines(git(root, 'status', '--porcelain'));
  if (changed.length === 0) return;
  const some = changed.slice(0, 5).map((line) => line.slice(3));
  const names = changed.length > some.length ? [...some, `${changed.length - some.length} more`] : some;
  yield { what: `the tree differs from its commit: ${names.join(', ')}`, hint: 'commit or git stash --all it' };
}

function* inTags(root: string, tag: string): Iterable<Obstacle> {
  const head = git(root, 'rev-parse', 'HEAD');
  const tagged = git(root, 'rev-parse', '--verify', `${tag}^{commit}`);
  if (tagged === undefined)
    yield {
      what: `no tag ${tag} says that this commit is that version`,
      hint: `when nothing else is wrong: git tag --annotate ${tag} --message 'sltv ${tag.slice(1)}'`,
    };
  else if (tagged !== head)
    yield {
      what: `${tag.slice(1)} was released before: ${tag} is the commit ${short(tagged)}, this is ${short(head)}`,
      hint: BUMP,
    };
  const above = lines(git(root, 'tag', '--list', 'v*')).filter((other) => isAbove(other, tag));
  if (above.length > 0)
    yield { what: `${tag.slice(1)} is below what was released before: ${above.join(', ')}`, hint: BUMP };
}

/** Whether a tag is of a later version. One that is no version's is not. */
function isAbove(a: string, b: string): boolean {
  const [left, right] = [a, b].map((tag) => /^v(\d+)\.(\d+)\.(\d+)$/.exec(tag)?.slice(1).map(Number));
  if (!left || !right) return false;
  const differs = left.findIndex((number, i) => number !== right[i]);
  return differs >= 0 && (left[differs] ?? 0) > (right[differs] ?? 0);
}

const short = (commit: string | undefined): string => commit?.trim().slice(0, 10) ?? '';

const lines = (text: string | undefined): readonly string[] => text?.split('\n').filter((line) => line !== '') ?? [];

/** What git answers; undefined where it refuses. */
function git(root: string, ...words: readonly string[]): string | undefined {
  try {
    return execFileSync('git', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}
