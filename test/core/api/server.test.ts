import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'valibot';
import { createEventLog } from '../../../core/api/event-log.ts';
import { serve } from '../../../core/api/server.ts';
import { connect } from '../../../core/client/index.ts';
import { Limits } from '../../../core/kernel/config.ts';
import type { Role } from '../../../core/kernel/verb.ts';
import { createLog } from '../../../core/log.ts';
import { startTrial, type Trial } from './trial.ts';

const test = suite<{ trial: Trial }>('serving');
test.before.each(async (context) => {
  context.trial = await startTrial();
});
test.after.each(async ({ trial }) => await trial[Symbol.asyncDispose]());

const listener = (trial: Trial, name: string, role: Role, mode = 0o660) => ({
  unix: join(trial.folder, name),
  mode,
  role,
});

const serving = ({ booted, folder }: Trial, ...listeners: ReturnType<typeof listener>[]) =>
  serve({
    listeners,
    limits: parse(Limits, {}),
    booted,
    node: { id: 'n1', machineId: '', bootId: '', stateDir: folder, runDir: folder },
    version: '1.2.3',
    events: createEventLog({ life: 'life' }),
    log: createLog({ level: 'error', format: 'text', write: () => {} }),
  });

test('each socket has its own mode, and its own role for those who come through it', async ({ trial }) => {
  const all = listener(trial, 'all.sock', 'viewer', 0o666);
  const few = listener(trial, 'few.sock', 'operator', 0o600);
  const served = await serving(trial, all, few);
  assert.is(lstatSync(all.unix).mode & 0o777, 0o666);
  assert.is(lstatSync(few.unix).mode & 0o777, 0o600);
  const made = await connect({ addr: few.unix }).sltv.createDisk({ name: 'a', sizeBytes: '8388608' });
  const viewer = connect({ addr: all.unix }).sltv;
  assert.equal(await viewer.getDisk({ name: 'a' }), made);
  assert.is((await viewer.deleteDisk({ name: 'a' }).catch((error) => error)).kind, 'denied');
  await served.close(1_000);
  assert.equal(
    [all, few].map(({ unix }) => existsSync(unix)),
    [false, false],
  );
});

test('when one socket can not be had, none stays open', async ({ trial }) => {
  const first = listener(trial, 'first.sock', 'admin');
  const second = listener(trial, 'second.sock', 'admin');
  writeFileSync(second.unix, 'precious');
  const error = await serving(trial, first, second).catch((reason) => reason);
  assert.is(error.code, 'core/bad-socket');
  assert.not(existsSync(first.unix));
});

test('a daemon that is running is not pushed aside by a second one', async ({ trial }) => {
  const error = await serving(trial, listener(trial, 'd.sock', 'admin')).catch((reason) => reason);
  assert.is(error.message, `another daemon answers on ${trial.path}`);
  assert.equal((await trial.client().sltv.listDisks({})).disks, []);
});

test('without a hypervisor plugin VMs are unsupported, and the rest works', async () => {
  await using trial = await startTrial({ withoutHypervisor: true });
  const { vms, sltv, pools } = trial.client();
  const error = await vms.list().catch((reason) => reason);
  assert.is(error.code, 'core/no-provider');
  assert.match(error.message, /no plugin of this daemon runs VMs/);
  await sltv.createDisk({ name: 'a', sizeBytes: '8388608' });
  assert.is((await pools.list()).length, 2);
});

test.run();
