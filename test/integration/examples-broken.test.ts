// Examples that break a promise: the executable finds out which.
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { certify, copyOf, replace } from '../fixtures/example.ts';

/** What is taken out of which file, what stands there instead, and the promise that it breaks. */
const BROKEN: Readonly<Record<string, readonly (readonly [string, string, string, string])[]>> = {
  'plugin-lock-file': [
    ['lock-file.ts', 'await passed(own, number, waiting);', '', 'a name has one holder at a time'],
    ['lock-file.ts', 'next = { mark, isOrderly: true };', 'next = handover;', 'the next holder is handed the mark'],
  ],
  'plugin-pool': [
    [
      'writer.ts',
      'const bytes = roundUp(size, EXTENT);\n        await',
      'const bytes = size;\n        await',
      'a size is rounded up',
    ],
    [
      'writer.ts',
      'if (await isOpen(volume.path)) {',
      'if (volume.name === "") {',
      'a volume that is open is not removed',
    ],
    ['folder-pool.ts', 'if (isOver)', 'if (own.name === "")', 'nothing can be committed after the turn'],
  ],
};

for (const [example, faults] of Object.entries(BROKEN)) {
  for (const [file, what, by, fact] of faults) {
    test(`${example} without '${what.split('\n')[0]}' is not certified: ${fact}`, async () => {
      await using folder = await copyOf(example);
      replace(join(folder.path, file), what, by);
      const { code, stdout, cases } = await certify(folder.path, '--patience 5s');
      assert.is(code, 1, stdout);
      assert.ok(
        cases.some((line) => line.startsWith('failed') && line.includes(fact)),
        stdout,
      );
    });
  }
}

test.run();
