// docs/events.md and the capabilities say the same: every event that people are told of stands on the page with its values.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = join(import.meta.dirname, '../..');

interface ShownEvent {
  readonly id: string;
  readonly show: (what: unknown) => object;
}

const isShown = (value: unknown): value is ShownEvent =>
  typeof value === 'object' && value !== null && 'show' in value && typeof value.show === 'function';

test('the page has every event that people are told of, and no other', async () => {
  const files = globSync('core/capabilities/*.ts', { cwd: ROOT });
  const modules: readonly object[] = await Promise.all(files.map((file) => import(join(ROOT, file))));
  const declared = modules.flatMap((module) => Object.values(module).filter(isShown)).map(({ id }) => id);
  const page = readFileSync(join(ROOT, 'docs/events.md'), 'utf8');
  const written = [...page.matchAll(/^\| `([a-z.]+)` \|/gm)].map(([, id]) => id);
  assert.ok(declared.length > 5);
  assert.equal(written.toSorted(), [...new Set(declared)].toSorted());
});

test.run();
