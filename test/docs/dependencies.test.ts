import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import manifest from '../../package.json' with { type: 'json' };

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/dependencies.md'), 'utf8');
const LINES = [...PAGE.matchAll(/^\| `([^`]+)` \| (.+) \| (.+) \|$/gm)];

test('every dependency has a line that says why it and what else there was, and no line has outlived its package', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const declared = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  assert.equal(LINES.map(([, name]) => name).toSorted(), declared.toSorted());
});

test('every version is exact', () => {
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
  assert.equal(
    versions.filter(([, version]) => !/^(npm:[a-z]+@)?\d+\.\d+\.\d+$/.test(version)),
    [],
  );
});

test.run();
