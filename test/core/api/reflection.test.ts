import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
} from '../../../core/api/gen/grpc/reflection/v1/reflection_pb.ts';
import { createReflection } from '../../../core/api/reflection.ts';
import { SERVICES } from '../../../core/api/services.ts';
import { raw } from './raw.ts';
import { startTrial } from './trial.ts';

type Question = ServerReflectionRequest['messageRequest'];

async function ask(...questions: Question[]) {
  async function* requests() {
    for (const messageRequest of questions) yield create(ServerReflectionRequestSchema, { host: 'h', messageRequest });
  }
  const answers = [];
  for await (const answer of createReflection(SERVICES).serverReflectionInfo(requests())) answers.push(answer);
  return answers;
}

/** The files of an answer. */
async function files(question: Question) {
  const [said] = await ask(question);
  if (said?.messageResponse.case !== 'fileDescriptorResponse') throw new Error(said?.messageResponse.case);
  return said.messageResponse.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

test('all services are listed, and one stream answers many questions', async () => {
  const list: Question = { case: 'listServices', value: '' };
  const said = await ask(list, { case: 'fileByFilename', value: 'none.proto' }, list);
  assert.equal(
    said.map(({ messageResponse }) => messageResponse.case),
    ['listServicesResponse', 'errorResponse', 'listServicesResponse'],
  );
  const names = SERVICES.map(({ typeName }) => ({ name: typeName }));
  assert.equal(said[0]?.messageResponse.value, { service: names });
  assert.equal([said[0]?.validHost, said[0]?.originalRequest.messageRequest], ['h', list]);
});

test('from what is answered for a service a client can build its whole schema, without any other file', async () => {
  for (const { typeName, methods } of SERVICES) {
    const file = (await files({ case: 'fileContainingSymbol', value: typeName })).toReversed();
    const schema = createFileRegistry(create(FileDescriptorSetSchema, { file: inOrder(file) }));
    assert.equal(
      schema.getService(typeName)?.methods.map(({ name, input }) => [name, input.typeName]),
      methods.map(({ name, input }) => [name, input.typeName]),
    );
  }
});

/** What is imported comes before what imports it. */
function inOrder<F extends { name: string; dependency: string[] }>(files: readonly F[]): F[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const sorted = new Set<F>();
  const add = (name: string) => {
    const file = byName.get(name);
    if (file === undefined) throw new Error(`${name} is not among what was answered`);
    file.dependency.forEach(add);
    sorted.add(file);
  };
  for (const { name } of files) add(name);
  return [...sorted];
}

for (const symbol of ['sltv.v1.Sltv', 'sltv.v1.Sltv.ResizeDisk', 'sltv.v1.Disk', 'sltv.v1.ProvisionMode']) {
  test(`the file that has ${symbol} comes first`, async () => {
    assert.is((await files({ case: 'fileContainingSymbol', value: symbol }))[0]?.name, 'sltv/v1/sltv.proto');
  });
}

test('a file is found by its name, also one that is only imported', async () => {
  const name = 'google/protobuf/timestamp.proto';
  assert.is((await files({ case: 'fileByFilename', value: name }))[0]?.name, name);
});

for (const [question, code, message] of [
  [{ case: 'fileContainingSymbol', value: 'sltv.v1.Nothing' }, 5, 'there is no symbol sltv.v1.Nothing'],
  [{ case: 'fileByFilename', value: 'none.proto' }, 5, 'there is no file none.proto'],
  [{ case: 'allExtensionNumbersOfType', value: 'x' }, 5, 'there is no type x'],
  [{ case: undefined }, 3, 'this request asks for nothing that this daemon knows of'],
] satisfies [Question, number, string][]) {
  test(`${question.case ?? 'no question'} is answered: ${message}`, async () => {
    const [said] = await ask(question);
    assert.equal(said?.messageResponse, { case: 'errorResponse', value: { errorCode: code, errorMessage: message } });
  });
}

test('our messages have no extensions', async () => {
  const [said] = await ask({ case: 'allExtensionNumbersOfType', value: 'sltv.v1.Disk' });
  assert.equal(said?.messageResponse.value, { baseTypeName: 'sltv.v1.Disk', extensionNumber: [] });
});

test('over HTTP/1.1, which has no streams in both directions, the error says what is needed', async () => {
  await using trial = await startTrial();
  const { status, json } = await raw(trial.path, '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
  assert.is(status, 505);
  assert.match(json.message, 'needs HTTP/2');
});

test.run();
