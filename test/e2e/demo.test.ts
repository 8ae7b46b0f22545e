// The demo tells the truth: its story runs through, and a story with one wrong step does not.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startDaemon } from '../testbed/daemon.ts';
import { testbed } from '../testbed/index.ts';
import { STORY, tell } from '../testbed/story.ts';

test('every command of the story shows what it says', async () => {
  await using host = await testbed.host({ name: 'story', disks: ['12G'] });
  await startDaemon(host);
  const lines: string[] = [];
  await tell(host, STORY, (line) => lines.push(line));
  const typed = lines.filter((line) => line.startsWith('$ '));
  assert.is(typed.length, STORY.filter((step) => step.run).length);
  const shown = lines.join('\n');
  assert.match(shown, /vda has 402653184 bytes/, 'the guest saw 384 MiB');
  assert.match(shown, /\[core\/disk-attached\]/, 'the mistake was refused');
});

test('a story with one broken step fails at that step', async () => {
  await using host = await testbed.host({ name: 'broken', disks: ['12G'] });
  await startDaemon(host);
  const broken = STORY.map((step) => (step.name === 'list' ? { ...step, run: 'sltv disk list --pool disks' } : step));
  const outcome = await tell(host, broken, () => {}).then(
    () => 'it ran through',
    (error) => String(error),
  );
  assert.match(outcome, /step 'list'/);
});

test.run();
