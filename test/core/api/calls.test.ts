import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { KINDS, type Kind, type SltvError } from '../../../core/errors.ts';
import { type RawAnswer, raw } from './raw.ts';
import { startTrial, type Trial } from './trial.ts';

const test = suite('calls');
const onTrial = (title: string, work: (trial: Trial) => Promise<void>) =>
  test(title, async () => {
    await using trial = await startTrial();
    await work(trial);
  });

const failure = async (work: Promise<unknown>): Promise<SltvError> =>
  await work.then(
    () => assert.unreachable('it should have been refused'),
    (error) => error,
  );

const listWith = (trial: Trial, headers: Record<string, string>): Promise<RawAnswer> =>
  raw(trial.path, '/sltv.v1.PluginService/Call', {
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"words":"trial fail","input":{"how":"busy"}}',
  });

onTrial("a client's request id is the call's; without one it is made up, and says so", async (trial) => {
  await listWith(trial, { 'sltv-request-id': 'mine-1' });
  await listWith(trial, {});
  assert.is(trial.seen[0]?.requestId, 'mine-1');
  assert.match(trial.seen[1]?.requestId ?? '', /^auto-[0-9a-f-]{36}$/);
});

for (const [title, id] of [
  ['with a slash', 'a/b'],
  ['that is empty', ''],
  ['that looks made up', 'auto-1'],
  ['of 101 letters', 'x'.repeat(101)],
  ['given twice', 'a, b'],
]) {
  onTrial(`a request id ${title} is refused before anything is done`, async (trial) => {
    const { json } = await listWith(trial, { 'sltv-request-id': id ?? '' });
    assert.is(json.code, 'invalid_argument');
    assert.match(json.message, /sltv-request-id/);
    assert.is(trial.seen.length, 0);
  });
}

for (const kind of Object.keys(KINDS) as Kind[]) {
  onTrial(`an error of kind ${kind} comes back with its code, sentence and hint`, async (trial) => {
    const error = await failure(trial.client().plugins.call('trial fail', { how: kind }));
    assert.is(error.kind, kind);
    assert.is(error.code, `trial/${kind}`);
    assert.is(error.message, `it is ${kind}`);
    assert.is(error.hint, `mend ${kind}`);
    const [finished] = trial.finished;
    assert.is(finished?.result, `trial/${kind}`);
    const isOurFault = kind === 'internal';
    assert.is(
      trial.lines.some(({ level }) => level === 'error'),
      isOurFault,
    );
  });
}

onTrial('a defect is internal, is logged with its stack, and both name the request', async (trial) => {
  const error = await failure(trial.client().plugins.call('trial fail', { how: 'bug' }, { requestId: 'r-17' }));
  assert.is(error.kind, 'internal');
  assert.is(error.message, "plugin trial failed at 'trial fail': cannot read what is not there");
  assert.match(error.hint ?? '', /r-17/);
  const line = trial.lines.find(({ level }) => level === 'error');
  assert.is(line?.requestId, 'r-17');
  assert.match(String(line?.stack), /TypeError.*\n.*at /);
});

onTrial('every call is told of when it ends: what, about what, by whom, how long, how', async (trial) => {
  const { sltv } = trial.client();
  await sltv.createDisk({ name: 'a', sizeBytes: '8388608' }, { requestId: 'r-1' });
  await failure(sltv.getDisk({ name: 'b' }, { requestId: 'r-2' }));
  await trial.until(() => trial.finished.length === 2);
  const told = trial.finished.map(({ milliseconds, ...rest }) => ({ ...rest, isTimed: milliseconds > 0 }));
  const caller = `unix:${trial.path}`;
  assert.equal(told, [
    { operation: 'disk.create', subject: 'a', result: 'ok', requestId: 'r-1', caller, isTimed: true },
    { operation: 'disk.show', subject: 'b', result: 'core/disk-missing', requestId: 'r-2', caller, isTimed: true },
  ]);
});

onTrial('the same request id twice makes one disk', async (trial) => {
  const { sltv } = trial.client();
  const request = { name: 'a', sizeBytes: '8388608' };
  const first = await sltv.createDisk(request, { requestId: 'r-1' });
  assert.equal(await sltv.createDisk(request, { requestId: 'r-1' }), first);
  assert.is((await failure(sltv.createDisk(request, { requestId: 'r-2' }))).kind, 'exists');
});

onTrial('a deadline ends the work that hears it, and the caller is told', async (trial) => {
  const error = await failure(trial.client().plugins.call('trial wait', {}, { timeout: 50 }));
  assert.is(error.code, 'core/timeout');
  assert.match(error.message, /deadline/);
  assert.is(trial.seen[0]?.signal.aborted, true);
  // The reason is ours, so that whoever throws it on is understood.
  assert.is(trial.seen[0]?.signal.reason.kind, 'timeout');
});

onTrial('a deadline is answered in time, also when the work goes on to its end', async (trial) => {
  const error = await failure(trial.client().plugins.call('trial wait', { deaf: true }, { timeout: 50 }));
  assert.match(error.message, /the deadline of this call has passed/, "the daemon's own words");
  assert.is(trial.finished.length, 0, 'the work is not over');
  trial.release();
  await trial.until(() => trial.finished.length === 1);
  assert.is(trial.finished[0]?.result, 'ok');
});

onTrial('a client that goes away cancels its call', async (trial) => {
  const leaving = new AbortController();
  const answer = failure(trial.client().plugins.call('trial wait', {}, { signal: leaving.signal }));
  await trial.until(() => trial.seen.length === 1);
  leaving.abort();
  assert.is((await answer).code, 'core/cancelled');
  await trial.until(() => trial.finished.length === 1);
  assert.is(trial.finished[0]?.result, 'core/cancelled');
});

onTrial('a call that has been answered is not cancelled afterwards', async (trial) => {
  await failure(trial.client().plugins.call('trial fail', { how: 'busy' }));
  await trial.client().sltv.listDisks({});
  assert.is(trial.seen[0]?.signal.aborted, false);
});

onTrial('a stream ends when its client leaves, though the plugin hears nothing', async (trial) => {
  for await (const { number } of trial.client().plugins.watch('trial count', { to: 3, after: 'wait' })) {
    if (number === 3) break;
  }
  await trial.until(() => trial.finished.length === 1);
  assert.is(trial.finished[0]?.operation, 'plugin.watch');
  assert.is(trial.finished[0]?.subject, 'trial count');
});

onTrial('a stream ends with its error after the results before it', async (trial) => {
  const seen: unknown[] = [];
  const work = async () => {
    for await (const { number } of trial.client().plugins.watch('trial count', { to: 2, after: 'fail' }))
      seen.push(number);
  };
  const error = await failure(work());
  assert.equal(seen, [1, 2]);
  assert.is(error.code, 'trial/busy');
  assert.is(error.hint, 'wait');
});

onTrial('closing waits for the call in hand, and lets it answer', async (trial) => {
  const answer = trial.client().plugins.call('trial wait', {});
  await trial.until(() => trial.seen.length === 1);
  const closed = trial.close(10_000);
  assert.is((await failure(trial.client().sltv.listDisks({}))).kind, 'unavailable', 'no call begins any more');
  trial.release();
  assert.equal(await answer, []);
  await closed;
  assert.is((await failure(trial.client().sltv.listDisks({}))).code, 'core/no-daemon');
});

onTrial(
  'each call that may change something is a line in the log: who, what, how it ended, and its id',
  async (trial) => {
    const { sltv, plugins } = trial.client();
    await sltv.listDisks({}, { requestId: 'r-list' });
    await sltv.createDisk({ name: 'a', sizeBytes: '8388608' }, { requestId: 'r-create' });
    await failure(sltv.createDisk({ name: 'a', sizeBytes: '8388608' }, { requestId: 'r-again' }));
    await plugins.call('trial fail', { how: 'busy' }, { requestId: 'r-look' }).catch(() => {});
    await plugins.call('trial echo', { size: '1G' }, { requestId: 'r-verb' });
    const audit = trial.lines
      .filter(({ level, requestId }) => level === 'info' && requestId !== undefined)
      .map(({ caller, operation, subject, result, requestId }) => [caller, operation, subject, result, requestId]);
    const caller = `unix:${trial.path}`;
    assert.equal(audit, [
      [caller, 'disk.create', 'a', 'ok', 'r-create'],
      [caller, 'disk.create', 'a', 'core/disk-exists', 'r-again'],
      [caller, 'plugin.call', 'trial fail', 'trial/busy', 'r-look'],
      [caller, 'plugin.call', 'trial echo', 'ok', 'r-verb'],
    ]);
  },
);

onTrial('what is in hand is listed, and cancelled by its id', async (trial) => {
  const { operations, plugins } = trial.client();
  const answer = failure(plugins.call('trial wait', {}, { requestId: 'r-1' }));
  await trial.until(() => trial.seen.length === 1);
  const [inHand, ...others] = await operations.list();
  assert.equal([inHand?.requestId, inHand?.operation, inHand?.subject], ['r-1', 'plugin.call', 'trial wait']);
  assert.is(inHand?.caller, `unix:${trial.path}`);
  assert.equal(others, [], 'whoever asks knows of his own call');
  await operations.cancel({ requestId: 'r-1' });
  const error = await answer;
  assert.equal([error.kind, error.message], ['cancelled', `the call was cancelled by unix:${trial.path}`]);
  assert.equal(await operations.list(), []);
  assert.is((await failure(operations.cancel({ requestId: 'r-1' }))).code, 'core/operation-missing');
});

onTrial('closing cancels what is left after the grace, and says why', async (trial) => {
  const answer = failure(trial.client().plugins.call('trial wait', {}));
  await trial.until(() => trial.seen.length === 1);
  await trial.close(20);
  assert.is((await answer).code, 'core/stopping');
});

onTrial('closing ends streams at once', async (trial) => {
  const stream = trial.client().plugins.watch('trial count', { to: 1, after: 'wait' })[Symbol.asyncIterator]();
  assert.equal(await stream.next(), { value: { number: 1 }, done: false });
  const rest = failure(stream.next());
  await trial.close(60_000);
  assert.is((await rest).code, 'core/stopping');
});

onTrial('how a call goes is told to who follows it, to its end, and to nobody else', async (trial) => {
  const { plugins, events, operations } = trial.client();
  const answer = plugins.call('trial wait', {}, { requestId: 'r-1' });
  await trial.until(() => trial.seen.length > 0);
  const [first] = await operations.list();
  assert.equal([first?.stage, first?.doneBytes, first?.totalBytes], ['waiting to be released', '1', '4']);
  const told: [type: string, values: object][] = [];
  for await (const { type, values } of events.watch({ operation: 'r-1' })) {
    told.push([type, values]);
    trial.release();
  }
  await answer;
  const which = { operation: 'plugin.call', requestId: 'r-1' };
  const { milliseconds, ...last } = { milliseconds: '', ...told[1]?.[1] };
  assert.equal(told[0], ['operation.progress', { ...which, stage: 'waiting to be released', done: '1', total: '4' }]);
  assert.equal([told[1]?.[0], last, told.length], ['operation.ended', { ...which, result: 'ok' }, 2]);
  assert.match(milliseconds, /^\d+$/);
  for await (const { type } of events.watch({})) assert.not.match(type, /^operation/);
});

onTrial('the end of a call that failed says all that its caller was told', async (trial) => {
  const { plugins, events } = trial.client();
  const answer = failure(plugins.call('trial wait', {}, { requestId: 'r-1' }));
  await trial.until(() => trial.seen.length > 0);
  const ends: unknown[] = [];
  for await (const { type, values } of events.watch({ operation: 'r-1' })) {
    if (type === 'operation.ended') ends.push([values.result, values.kind, values.reason]);
    else await trial.client().operations.cancel({ requestId: 'r-1' });
  }
  const { code, kind, message } = await answer;
  assert.equal(ends, [[code, kind, message]]);
});

onTrial('of a call that is not in hand nothing is told', async (trial) => {
  const { events } = trial.client();
  const error = await failure(Array.fromAsync(events.watch({ operation: 'nowhere' })));
  assert.equal([error.kind, error.code], ['not-found', 'core/operation-missing']);
});

test.run();
