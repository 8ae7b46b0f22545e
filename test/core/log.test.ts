import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { coreErrors } from '../../core/errors.ts';
import { createLog, type LogLevel } from '../../core/log.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What a log of this level and format writes. */
function written(format: 'json' | 'text', level: LogLevel = 'debug') {
  const lines: string[] = [];
  return { lines, log: createLog({ level, format, write: (line) => lines.push(line) }) };
}

const objects = (lines: readonly string[]) => lines.map((line) => JSON.parse(line));

test('a JSON line has time, level, message and its fields', () => {
  const { log, lines } = written('json');
  log.info('created', { disk: 'web01', size: 10n, none: undefined });
  const [{ time, ...rest }] = objects(lines);
  assert.equal(rest, { level: 'info', message: 'created', disk: 'web01', size: '10' });
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 10_000);
});

test('what is below the level is not written', () => {
  for (const [index, level] of LEVELS.entries()) {
    const { log, lines } = written('json', level);
    for (const each of LEVELS) log[each]('said');
    assert.equal(
      objects(lines).map((line) => line.level),
      LEVELS.slice(index),
    );
  }
});

test('a log with fields says them in every line, and leaves the log that it came from as it was', () => {
  const { log, lines } = written('json');
  const own = log.with({ plugin: 'lvm' }).with({ pool: 'vg0' });
  own.info('one', { pool: 'vg1' });
  log.info('two');
  assert.equal(
    objects(lines).map(({ plugin, pool }) => [plugin, pool]),
    [
      ['lvm', 'vg1'],
      [undefined, undefined],
    ],
  );
});

test('an error is its sentence, its code, and its cause, however deep', () => {
  const { log, lines } = written('json');
  const cause = new Error('lvcreate failed', { cause: 'insufficient free space' });
  log.error('failed', { error: coreErrors('tool-failed', 'vg0 is full', { cause }) });
  assert.equal(objects(lines)[0].error, {
    message: 'vg0 is full',
    code: 'core/tool-failed',
    cause: { message: 'lvcreate failed', cause: 'insufficient free space' },
  });
});

test('a field can’t take the place of time, level or message', () => {
  const { log, lines } = written('json');
  log.error('the message', { message: 'a field', level: 'debug', time: 'never' });
  const [{ time, level, message }] = objects(lines);
  assert.equal([level, message], ['error', 'the message']);
  assert.is.not(time, 'never');
});

test('what can’t be written as JSON costs its words, not the line', () => {
  for (const format of ['json', 'text'] as const) {
    const { log, lines } = written(format);
    const loop: { self?: unknown } = {};
    loop.self = loop;
    log.warn('said all the same', { loop });
    const error: Error = new Error('its own cause');
    error.cause = error;
    log.warn('said all the same', { error });
    assert.is(lines.length, 2);
    assert.ok(lines.every((line) => line.includes('said all the same')));
  }
});

test('a text line reads as time, level, message and fields', () => {
  const { log, lines } = written('text');
  log.warn('pool is full', { pool: 'vg0', free: 0n, list: ['a', 1n], none: undefined });
  assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} WARN {2}pool is full pool=vg0 free="0" list=\["a","1"\]$/);
});

test('a JSON line is one line, and fields don’t break a text line', () => {
  for (const format of ['json', 'text'] as const) {
    const { log, lines } = written(format);
    log.info(format === 'json' ? 'first\nsecond' : 'first', { words: 'a\nb\r\nc' });
    assert.not.match(lines[0] ?? '', /[\r\n]/);
  }
});

test.run();
