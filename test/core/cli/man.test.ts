import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { manPage } from '../../../core/cli/man.ts';
import { allCommands } from '../../../core/cli/nouns.ts';

/** The requests of man(7) and troff that the page is made of. */
const REQUESTS = ['TH', 'SH', 'SS', 'PP', 'TP', 'B', 'nf', 'fi', 'RS', 'RE'];

test('the page has every verb with its usage and its example', async () => {
  const page = await manPage('1.2.3');
  assert.match(page.split('\n')[0] ?? '', '"sltv 1.2.3"');
  for (const [words, { verb }] of Object.entries(await allCommands())) {
    assert.match(page, `.SS sltv ${words.replaceAll('-', '\\-')}\n`);
    assert.match(page, `.RS\n${verb.example.replaceAll('-', '\\-')}\n.RE`);
  }
});

test('nothing in a text is taken for a request, and no hyphen for a dash', async () => {
  const lines = (await manPage('1')).split('\n');
  for (const line of lines.filter((each) => each.startsWith('.'))) {
    assert.ok(REQUESTS.includes(line.slice(1).split(' ')[0] ?? ''), line);
  }
  assert.equal(
    lines.filter((line) => /(?<!\\)-/.test(line) && !line.startsWith('.TH')),
    [],
  );
});

test.run();
