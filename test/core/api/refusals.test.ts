import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createRefusals } from '../../../core/api/refusals.ts';
import { createLog } from '../../../core/log.ts';

function written() {
  const lines: Record<string, unknown>[] = [];
  const { promise: turned, resolve } = Promise.withResolvers<void>();
  const log = createLog({
    level: 'info',
    format: 'json',
    write(line) {
      lines.push(JSON.parse(line));
      if (line.includes('more connections')) resolve();
    },
  });
  return { lines, log, turned };
}

test('a peer that is refused for the same reason again and again has one line, and later a count', async () => {
  const { lines, log, turned } = written();
  const refusals = createRefusals(log, { period: 30, lines: 5 });
  // The period's own timer keeps nothing alive.
  const alive = setTimeout(() => {}, 5_000);
  for (let times = 0; times < 4; times++) refusals.note('10.0.0.1', 'no TLS', 'speak TLS');
  assert.equal(
    lines.map(({ level, peer, why, hint }) => [level, peer, why, hint]),
    [['warn', '10.0.0.1', 'no TLS', 'speak TLS']],
  );
  await turned;
  clearTimeout(alive);
  assert.is(lines.at(-1)?.times, 3);
  refusals.note('10.0.0.1', 'no TLS');
  assert.is(lines.length, 3);
});

test('another reason, or another peer, has a line of its own', () => {
  const { lines, log } = written();
  const refusals = createRefusals(log);
  refusals.note('10.0.0.1', 'no TLS');
  refusals.note('10.0.0.1', 'old TLS');
  refusals.note('10.0.0.2', 'no TLS');
  assert.is(lines.length, 3);
});

test('however many peers there are, they fill no log', () => {
  const { lines, log } = written();
  const refusals = createRefusals(log, { lines: 5 });
  for (let peer = 0; peer < 1000; peer++) refusals.note(`10.0.0.${peer}`, 'no TLS');
  assert.is(lines.length, 5);
});

test.run();
