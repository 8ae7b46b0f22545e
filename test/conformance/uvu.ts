// Runs the cases of a conformance suite as tests of uvu.
import { test } from 'uvu';
import type { Case } from '../../core/testing/index.ts';

/** Makes a test of each case, and starts them. */
export function register(cases: readonly Case[]): void {
  for (const { title, run } of cases) test(title, run);
  test.run();
}
