// The API as curl sees it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { raw } from './raw.ts';
import { startTrial, type Trial } from './trial.ts';

const test = suite<{ trial: Trial }>('JSON');
test.before(async (context) => {
  context.trial = await startTrial();
});
test.after(async ({ trial }) => await trial[Symbol.asyncDispose]());

const CREATE = '/sltv.v1.Sltv/CreateDisk';

test('defaults are written out, bytes are strings, and a time that has not been is left out', async ({ trial }) => {
  const { status, json } = await raw(trial.path, CREATE, { body: '{"name":"plain","sizeBytes":8388608}' });
  assert.is(status, 200);
  const { id, createdAt, devicePath, ...rest } = json;
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.match(createdAt, /^\d{4}-.*Z$/);
  assert.match(devicePath, /\/mem\/plain$/);
  assert.equal(rest, {
    name: 'plain',
    vg: 'mem',
    mode: 'PROVISION_MODE_THICK',
    sizeBytes: '8388608',
    virtualSizeBytes: '8388608',
    createdOnNode: 'memory',
    state: 'ready',
    vmName: '',
    vmUuid: '',
    targetDev: '',
    endBytes: '0',
    facts: [],
  });
});

test('a field may also be written as the .proto file has it', async ({ trial }) => {
  const { status, json } = await raw(trial.path, CREATE, { body: '{"name":"snake","size_bytes":"8388608"}' });
  assert.is(status, 200);
  assert.is(json.sizeBytes, '8388608');
});

test('a delta without a request id is not repeatable, and every answer to it says so', async ({ trial }) => {
  const extend = (body: string, id?: string) => {
    const headers = { 'content-type': 'application/json', ...(id === undefined ? {} : { 'sltv-request-id': id }) };
    return raw(trial.path, '/sltv.v1.Sltv/ExtendDisk', { headers, body });
  };
  await raw(trial.path, CREATE, { body: '{"name":"grows","sizeBytes":"8388608"}' });
  const delta = '{"name":"grows","deltaBytes":"4194304"}';
  for (const size of ['12582912', '16777216']) {
    const { json, headers } = await extend(delta);
    assert.is(json.sizeBytes, size);
    assert.match(String(headers['sltv-remark']), 'not repeatable: asked again, it is added again');
  }
  const failed = await extend('{"name":"none","deltaBytes":"4194304"}');
  assert.equal([failed.status, 'sltv-remark' in failed.headers], [404, true]);
  for (const repeatable of [await extend(delta, 'mine'), await extend(delta, 'mine')]) {
    assert.is(repeatable.json.sizeBytes, '20971520');
    assert.not('sltv-remark' in repeatable.headers);
  }
  const absolute = await extend('{"name":"grows","sizeBytes":"25165824"}');
  assert.equal([absolute.status, 'sltv-remark' in absolute.headers], [200, false]);
});

for (const [title, body, sentence, hint] of [
  ['a misspelt field', '{"nmae":"x"}', /"nmae" is unknown/, /name, vg, mode, sizeBytes, virtualSizeBytes/],
  ['a negative size', '{"name":"x","sizeBytes":-5}', /size_bytes .*-5/, /whole bytes/],
  ['a size with a unit', '{"name":"x","sizeBytes":"10G"}', /10G/, /whole bytes/],
  ['a fraction of a byte', '{"name":"x","sizeBytes":1.5}', /1\.5/, /whole bytes/],
  ['more bytes than 64 bits hold', '{"name":"x","sizeBytes":1e30}', /1e\+30/, /whole bytes/],
  ['a mode that is none', '{"name":"x","mode":"THIN"}', /ProvisionMode .*THIN/, /mode/],
  ['the number of a mode that is none', '{"name":"x","mode":7}', /7 is no provision mode/, /PROVISION_MODE_THIN/],
  ['a name that is a number', '{"name":5}', /expected string, got 5/, /name/],
  ['a field twice', '{"name":"a","name":"b"}', /duplicate/, /name/],
  ['a list instead of an object', '[]', /can't be read/, /name/],
  ['half an object', '{', /can't be read/, /name/],
  ['no body', '', /can't be read/, /name/],
  ['an empty name', '{"sizeBytes":"8388608"}', /needs a name/, /name/],
] as const) {
  test(`${title} is an invalid request, with a sentence and a hint`, async ({ trial }) => {
    const { status, json } = await raw(trial.path, CREATE, { body });
    assert.is(status, 400);
    assert.is(json.code, 'invalid_argument');
    assert.match(json.message, sentence);
    assert.equal(
      json.details.map((detail: { type: string }) => detail.type),
      ['sltv.v1.ErrorInfo'],
    );
    assert.is(json.details[0].debug.code, 'core/input');
    assert.match(json.details[0].debug.hint, hint);
  });
}

test('more bytes than a volume can have are a bad size', async ({ trial }) => {
  const { json } = await raw(trial.path, CREATE, { body: `{"name":"x","sizeBytes":"${2n ** 63n}"}` });
  assert.is(json.code, 'invalid_argument');
  assert.is(json.details[0].debug.code, 'core/bad-size');
});

test('a request above 1 MiB is refused, and the connection serves the next', async ({ trial }) => {
  const { status, json } = await raw(trial.path, CREATE, { body: `{"name":"${'x'.repeat(2 ** 20)}"}` });
  assert.is(status, 429);
  assert.is(json.code, 'resource_exhausted');
  assert.is(json.details[0].debug.code, 'core/too-large');
  assert.is((await raw(trial.path, '/sltv.v1.Sltv/ListDisks', { body: '{}' })).status, 200);
});

test('a method that is not there is unsupported, with the way to call one', async ({ trial }) => {
  const { status, json } = await raw(trial.path, '/sltv.v1.Sltv/ShrinkDisk', { body: '{}' });
  assert.is(status, 404);
  assert.is(json.code, 'unimplemented');
  assert.match(json.message, /ShrinkDisk/);
  assert.match(json.details[0].debug.hint, /POST \/sltv\.v1\.Sltv\/ListDisks/);
});

test('a method that is not there is told to gRPC-Web over HTTP/1.1, which has no trailers, in the header', async ({
  trial,
}) => {
  const { status, headers } = await raw(trial.path, '/sltv.v1.Sltv/Nothing', {
    headers: { 'content-type': 'application/grpc-web+proto' },
  });
  assert.equal([status, headers['grpc-status']], [200, '12']);
  assert.match(String(headers['grpc-message']), 'has%20no%20method');
});

test('a form instead of JSON is told which content type to use', async ({ trial }) => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { status, json } = await raw(trial.path, CREATE, { headers, body: '{"name":"x"}' });
  assert.is(status, 415);
  assert.is(json.code, 'invalid_argument');
  assert.match(json.message, /x-www-form-urlencoded/);
  assert.match(json.details[0].debug.hint, /content-type: application\/json/);
});

test('GET is told to POST', async ({ trial }) => {
  const { status, json } = await raw(trial.path, CREATE, { method: 'GET' });
  assert.is(status, 405);
  assert.match(json.message, /called by POST/);
});

test('a deadline that is no number is an invalid request', async ({ trial }) => {
  const headers = { 'content-type': 'application/json', 'connect-timeout-ms': 'soon' };
  const { json } = await raw(trial.path, '/sltv.v1.Sltv/ListDisks', { headers, body: '{}' });
  assert.is(json.code, 'invalid_argument');
  assert.is(json.details[0].debug.code, 'core/input');
});

test('any Host header will do, also one that no URL can have', async ({ trial }) => {
  for (const host of ['/run/sltv/sltvd.sock', '%2Frun%2Fsltv', '[', 'x y']) {
    const headers = { 'content-type': 'application/json', host };
    assert.is((await raw(trial.path, '/sltv.v1.Sltv/ListDisks', { headers, body: '{}' })).status, 200, host);
  }
});

test.run();
