import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { session } from './session.ts';

const grown = (n: number) => ({
  event: {
    cursor: `life-${n}`,
    time: '2026-11-20T18:14:05.250Z',
    type: 'disk.extended',
    subject: 'vg-sltv/web1',
    message: `grew from ${n} GiB to ${n + 1} GiB, ahead of its guest`,
    values: { automatic: 'true' },
  },
});
const METHOD = 'EventService/WatchEvents';
const GONE = {
  refusal: { code: 'unavailable', message: 'the daemon is stopping', info: ['core/stopping', ''] },
} as const;

test('events are a table, and under --json a line each', async () => {
  await using shell = await session();
  shell.daemon.answer(METHOD, { stream: [grown(1), grown(2)] });
  const { out, asked, code } = await shell.type('events');
  assert.is(code, 0);
  const [heading = '', first = '', second = ''] = out.split('\n');
  assert.match(heading, /^TIME +EVENT +SUBJECT +MESSAGE$/);
  assert.match(
    first,
    /^2026-11-20 18:14:05Z +disk.extended +vg-sltv\/web1 +grew from 1 GiB to 2 GiB, ahead of its guest$/,
  );
  assert.match(second, 'grew from 2 GiB');
  assert.equal(asked, [{ method: METHOD, request: { follow: false } }]);
  const json = (await shell.type('events --json')).out.trim().split('\n');
  assert.equal(JSON.parse(json[1] ?? ''), grown(2));
});

test('what comes later stands below what came before, also where it is longer', async () => {
  await using shell = await session();
  const { event } = grown(1);
  const subjects = ['a', 'vg-sltv/database-of-the-archive', 'b'];
  shell.daemon.answer(METHOD, { stream: subjects.map((subject) => ({ event: { ...event, subject } })) });
  const [heading = '', first = '', second = '', third = ''] = (await shell.type('events')).out.split('\n');
  const at = (line: string) => line.indexOf('grew');
  assert.is(at(first), heading.indexOf('MESSAGE'));
  assert.ok(at(second) > at(first), 'it is longer than any before');
  assert.is(at(third), at(second));
});

for (const [word, wanted] of [
  ['2026-01-31T18:30:00Z', { since: '2026-01-31T18:30:00.000Z' }],
  ['0c5b3f43-8f6d-4a58-8d0a-3c9c2e9f0b6e-17', { after: '0c5b3f43-8f6d-4a58-8d0a-3c9c2e9f0b6e-17' }],
] as const) {
  test(`--since ${word} asks for what is newer`, async () => {
    await using shell = await session();
    shell.daemon.answer(METHOD, { stream: [] });
    const { asked } = await shell.type(`events --since ${word}`);
    assert.equal(asked[0]?.request, { ...wanted, follow: false });
  });
}

test('--since 10m asks for what happened in the last ten minutes', async () => {
  await using shell = await session();
  shell.daemon.answer(METHOD, { stream: [] });
  const { asked } = await shell.type('events --since 10m');
  const { since } = (asked[0]?.request ?? {}) as { since?: string };
  assert.ok(Math.abs(Date.now() - 600_000 - Date.parse(since ?? '')) < 60_000);
});

for (const word of ['yesterday', '10', '10 years', '2026-13-45', '']) {
  test(`--since '${word}' is answered with how to write it`, async () => {
    await using shell = await session();
    const { code, err, asked } = await shell.type(['events', `--since=${word}`]);
    assert.is(code, 2);
    assert.match(err, /hint: /);
    assert.equal(asked, []);
  });
}

test('who follows comes back to a daemon that was started anew, with the last cursor, until Ctrl-C', async () => {
  await using shell = await session();
  const stop = new AbortController();
  const answers = [{ stream: [grown(2)] }, GONE, { stream: [grown(3)] }] as const;
  let pauses = 0;
  shell.daemon.answer(METHOD, { stream: [grown(1)] });
  const { code, out, err, asked } = await shell.type('events --follow', {
    signal: stop.signal,
    async pause() {
      const answer = answers[pauses];
      pauses += 1;
      if (answer) shell.daemon.answer(METHOD, answer);
      else stop.abort();
    },
  });
  assert.equal([code, err], [0, '']);
  assert.equal(out.match(/from \d/g), ['from 1', 'from 2', 'from 3']);
  assert.equal(
    asked.map(({ request }) => (request as { after?: string }).after),
    [undefined, 'life-1', 'life-2', 'life-2'],
  );
});

test('where no daemon answers, nobody waits for one', async () => {
  await using shell = await session();
  const { code, err } = await shell.type('events --follow --addr unix:///nowhere/sltvd.sock');
  assert.is(code, 10);
  assert.match(err, 'core/no-daemon');
});

test.run();
