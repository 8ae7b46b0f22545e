// A git repository that could be released, with a version, a tag and a changelog of its own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Repository extends Disposable {
  readonly path: string;
  write(name: string, text: string): void;
  /** Commits all that is there. */
  commit(): void;
  git(...words: readonly string[]): string;
  /** In package.json, its lock and CHANGELOG.md. */
  setVersion(version: string): void;
}

export function repository(): Repository {
  const path = mkdtempSync(join(tmpdir(), 'sltv-release-'));
  const write = (name: string, text: string) => writeFileSync(join(path, name), text);
  const git = (...words: readonly string[]) =>
    execFileSync('git', [...IDENTITY, ...words], { cwd: path, encoding: 'utf8' });
  git('init', '--quiet');
  return {
    ...{ path, write, git },
    commit() {
      git('add', '--all');
      git('commit', '--quiet', '--allow-empty', '--message', 'work');
    },
    setVersion(version) {
      for (const name of ['package.json', 'package-lock.json']) write(name, JSON.stringify({ version }));
      write('CHANGELOG.md', `# Changelog\n\n## [Unreleased]\n\n## [${version}] - 2026-01-31\n\n- more disks\n`);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Who commits, whoever runs the tests. */
const IDENTITY = ['-c', 'user.name=test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false'];
