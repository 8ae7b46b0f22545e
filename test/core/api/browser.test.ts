// What a page of another origin can get out of a browser's user: nothing.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { raw } from './raw.ts';
import { startTrial } from './trial.ts';

const PATH = '/sltv.v1.Sltv/ListDisks';
const origin = 'https://elsewhere.example';

test('a browser that asks whether a page of another origin may call is not told that it may', async () => {
  await using trial = await startTrial();
  for (const type of ['application/json', 'application/grpc-web+proto']) {
    const headers = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
      'content-type': type,
    };
    const answer = await raw(trial.path, PATH, { method: 'OPTIONS', headers });
    assert.is(answer.status, 405);
    assert.equal(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      [],
    );
  }
});

test('what a browser sends without asking, a form or plain text, is no call', async () => {
  await using trial = await startTrial();
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const answer = await raw(trial.path, PATH, { headers: { origin, 'content-type': type }, body: '{}' });
    assert.is(answer.status, 415, type);
  }
  assert.is((await raw(trial.path, `${PATH}?encoding=json&message={}`, { method: 'GET' })).status, 405);
  assert.equal(trial.finished, []);
});

test('not even the answer to a page of another origin says that it may be read', async () => {
  await using trial = await startTrial();
  const answer = await raw(trial.path, PATH, { headers: { origin, 'content-type': 'application/json' }, body: '{}' });
  assert.is(answer.status, 200);
  assert.is(answer.headers['access-control-allow-origin'], undefined);
});

test.run();
