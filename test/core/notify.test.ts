import { mock } from 'node:test';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLog } from '../../core/log.ts';
import { feedWatchdog, notify } from '../../core/notify.ts';
import type { Runner } from '../../core/run.ts';

/** What systemd-notify was started with, and what the log was warned of; `code` is its status. */
function witness(env: Readonly<Record<string, string>>, code = 0) {
  const told: string[] = [];
  const warned: string[] = [];
  const never = () => Promise.reject(new Error('nothing else is run'));
  const run: Runner = {
    async read(program, words) {
      told.push([program, ...words].join(' '));
      return { code, stdout: '', stderr: code === 0 ? '' : 'no such socket\n', report: '' };
    },
    write: never,
    async *lines() {},
    orphans: never,
    quiet: never,
  };
  const log = createLog({ level: 'warn', format: 'text', write: (line) => void warned.push(line) });
  return { env: { NOTIFY_SOCKET: '/run/systemd/notify', ...env }, run, log, told, warned };
}

test('systemd is told in the name of this process', async () => {
  const told = witness({});
  await notify('READY=1', told);
  assert.equal(told.told, [`systemd-notify --pid=${process.pid} READY=1`]);
  assert.equal(told.warned, []);
});

test('where nobody listens nothing is started', async () => {
  const told = witness({ NOTIFY_SOCKET: '' });
  await notify('READY=1', told);
  assert.equal(told.told, []);
});

test('what systemd-notify could not say is in the log, and no error', async () => {
  const told = witness({}, 1);
  await notify('READY=1', told);
  assert.match(told.warned.join(), 'systemd could not be told');
});

test('the watchdog hears of this process three times in the time that it waits, until it is disposed of', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const told = witness({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) });
    const watchdog = feedWatchdog(told);
    mock.timers.tick(30_000);
    const tick = `systemd-notify --pid=${process.pid} WATCHDOG=1`;
    assert.equal(told.told, [tick, tick, tick]);
    watchdog[Symbol.dispose]();
    mock.timers.tick(30_000);
    assert.is(told.told.length, 3);
  } finally {
    mock.timers.reset();
  }
});

for (const [why, env] of [
  ['where the unit has none', {}],
  ['that waits for another process', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' }],
  ['of no time at all', { WATCHDOG_USEC: '0' }],
] as const) {
  test(`nothing is told to a watchdog ${why}`, () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const told = witness(env);
      using _watchdog = feedWatchdog(told);
      mock.timers.tick(60_000);
      assert.equal(told.told, []);
    } finally {
      mock.timers.reset();
    }
  });
}

test.run();
