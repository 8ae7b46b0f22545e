// The API from a shell: curl over JSON, and buf curl over gRPC, with a .proto that was typed by hand or none at all.
import { join } from 'node:path';
import { execa } from 'execa';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Player, playEverything } from '../core/api/scenario.ts';
import { startTrial } from '../core/api/trial.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROTO = join(ROOT, 'test/fixtures/api-v1.proto');

interface Failure {
  readonly grpc: number;
  readonly said: string;
}
const isFailure = (error: unknown): error is Failure => typeof error === 'object' && error !== null && 'grpc' in error;
const codeOf = (error: unknown): number => {
  if (isFailure(error)) return error.grpc;
  throw error;
};

const CODES = [
  'ok',
  'canceled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
];

const curl = (path: string): Player => ({
  codeOf,
  async call(method, request) {
    const args = ['--silent', '--unix-socket', path, '--header', 'content-type: application/json', '--data', '@-'];
    const url = `http://localhost/sltv.v1.Sltv/${method}`;
    const { stdout } = await execa('curl', [...args, url], { input: JSON.stringify(request), timeout: 20_000 });
    const answer = JSON.parse(stdout);
    if (answer.code === undefined) return answer;
    throw { grpc: CODES.indexOf(answer.code), said: answer.message } satisfies Failure;
  },
});

/** `schema`: where it has the messages from. */
const bufCurl = (path: string, protocol: string, ...schema: readonly string[]): Player => ({
  codeOf,
  async call(method, request) {
    const args = ['curl', '--protocol', protocol, '--http2-prior-knowledge', '--unix-socket', path, ...schema];
    const url = `http://localhost/sltv.v1.Sltv/${method}`;
    const { stdout, stderr, failed } = await execa('buf', [...args, '--emit-defaults', '--data', '@-', url], {
      input: JSON.stringify(request),
      preferLocal: true,
      localDir: ROOT,
      reject: false,
      timeout: 20_000,
    });
    if (!failed) return JSON.parse(stdout);
    const said = JSON.parse(stderr.slice(stderr.indexOf('{')));
    throw { grpc: CODES.indexOf(said.code), said: said.message } satisfies Failure;
  },
});

const test = suite('from a shell');

test('curl can do everything', async () => {
  await using trial = await startTrial();
  await playEverything(curl(trial.path));
});

test('buf curl can do everything', async () => {
  await using trial = await startTrial();
  await playEverything(bufCurl(trial.path, 'grpc', '--schema', PROTO));
});

test('buf curl can do everything over gRPC-Web', async () => {
  await using trial = await startTrial();
  await playEverything(bufCurl(trial.path, 'grpcweb', '--schema', PROTO));
});

for (const version of ['grpc-v1', 'grpc-v1alpha']) {
  test(`buf curl needs no .proto file: it asks the daemon, by ${version}`, async () => {
    await using trial = await startTrial({ role: 'viewer' });
    const player = bufCurl(trial.path, 'grpc', '--reflect', '--reflect-protocol', version);
    assert.equal(await player.call('ListDisks', {}), { disks: [] });
    const refused = await player.call('CreateDisk', { name: 'a', sizeBytes: '1' }).catch((error) => error);
    assert.is(codeOf(refused), 7, refused.said);
  });
}

test.run();
