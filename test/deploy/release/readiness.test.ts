import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readiness } from '../../../deploy/release/readiness.ts';
import { type Repository, repository } from './repository.ts';

/** Committed and tagged as 0.2.0, after 0.1.0. */
function released(): Repository {
  const made = repository();
  for (const version of ['0.1.0', '0.2.0']) {
    made.setVersion(version);
    made.commit();
    made.git('tag', `v${version}`);
  }
  return made;
}

const whatIsWrong = ({ path }: Repository) => readiness(path).obstacles.map(({ what }) => what);

test('a clean commit that is tagged as its version can be released', () => {
  using made = released();
  assert.equal(readiness(made.path), { version: '0.2.0', tag: 'v0.2.0', obstacles: [] });
});

const CASES: Readonly<Record<string, readonly [change: (made: Repository) => void, what: RegExp]>> = {
  'a changed file': [
    (made) => made.write('package.json', '{"version":"0.2.0" }'),
    /differs from its commit: package.json$/,
  ],
  'an untracked file': [(made) => made.write('new.ts', ''), /differs from its commit: new.ts$/],
  'a missing tag': [(made) => made.git('tag', '--delete', 'v0.2.0'), /^no tag v0.2.0 says/],
  'a version that another commit has': [
    (made) => made.commit(),
    /^0.2.0 was released before: v0.2.0 is the commit \w{10}, this/,
  ],
  'a version below the last': [(made) => made.git('tag', 'v0.10.0', 'HEAD~'), /^0.2.0 is below .* v0.10.0$/],
};
for (const [title, [change, what]] of Object.entries(CASES)) {
  test(`${title} is in the way`, () => {
    using made = released();
    change(made);
    const [wrong = '', ...more] = whatIsWrong(made);
    assert.match(wrong, what);
    assert.equal(more, []);
  });
}

const CONTENTS: Readonly<Record<string, readonly [name: string, text: string, what: RegExp]>> = {
  'a lock of another version': ['package-lock.json', '{"version":"0.1.0"}', /0.2.0, package-lock.json 0.1.0$/],
  'a version that is not in the changelog': ['CHANGELOG.md', '## [0.1.0] - 2026-01-31\n- a\n', /no section 0.2.0$/],
  'a section without a date': ['CHANGELOG.md', '## [0.2.0]\n- a\n', /does not say when 0.2.0 came out$/],
  'a section without a word': [
    'CHANGELOG.md',
    '## [0.2.0] - 2026-01-31\n\n## [0.1.0]\n- a\n',
    /says nothing about 0.2.0$/,
  ],
  'changes that no version has': [
    'CHANGELOG.md',
    '## [Unreleased]\n- b\n## [0.2.0] - 2026-01-31\n- a\n',
    /under \[Unreleased\]/,
  ],
};
for (const [title, [name, text, what]] of Object.entries(CONTENTS)) {
  test(`${title} is in the way`, () => {
    using made = released();
    made.write(name, text);
    made.commit();
    made.git('tag', '--force', 'v0.2.0');
    const [wrong = '', ...more] = whatIsWrong(made);
    assert.match(wrong, what);
    assert.equal(more, []);
  });
}

test('a version that npm and Debian sort differently is refused', () => {
  using made = released();
  made.setVersion('0.3.0-rc.1');
  made.commit();
  made.git('tag', 'v0.3.0-rc.1');
  assert.equal(whatIsWrong(made), ['package.json has the version 0.3.0-rc.1']);
});

test('all that is wrong is told at once, each with what to do', () => {
  using made = repository();
  made.setVersion('0.1.0');
  made.commit();
  made.write('CHANGELOG.md', '');
  const { obstacles } = readiness(made.path);
  assert.is(obstacles.length, 3);
  assert.ok(obstacles.every(({ hint }) => hint !== ''));
});

test('a folder without git is not released from', () => {
  using made = repository();
  made.setVersion('0.1.0');
  assert.match(whatIsWrong(made)[0] ?? '', /is no git repository with a commit$/);
});

test.run();
