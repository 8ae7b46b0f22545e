// gRPC server reflection: the schema that a client without .proto files asks for, from the descriptors in the generated code.
import { type DescFile, type DescService, toBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { KINDS, type Kind } from '../errors.ts';
import type { ServerReflectionRequest } from './gen/grpc/reflection/v1/reflection_pb.ts';

/** What is asked; the protocol's two versions have the same messages under different names. */
type Asked = Pick<ServerReflectionRequest, 'host'> & {
  readonly messageRequest: { readonly case?: string | undefined; readonly value?: unknown };
};
type Question = ServerReflectionRequest['messageRequest'];

/** Answers for both versions of the protocol. */
export function createReflection(services: readonly DescService[]) {
  const look = createLookup(services);
  return {
    async *serverReflectionInfo<R extends Asked>(requests: AsyncIterable<R>) {
      for await (const request of requests) {
        // The two versions' oneofs are the same but for their names.
        const messageResponse = look(request.messageRequest as Question);
        yield { validHost: request.host, originalRequest: request, messageResponse };
      }
    },
  };
}

function createLookup(services: readonly DescService[]) {
  const files = new Map(services.flatMap(({ file }) => withImports(file)).map((file) => [fileName(file), file]));
  const symbols = new Map([...files.values()].flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file])));
  return (question: Question) => {
    switch (question.case) {
      case 'listServices':
        return answer('listServicesResponse', { service: services.map(({ typeName }) => ({ name: typeName })) });
      case 'fileByFilename':
        return described(files.get(question.value), `there is no file ${question.value}`);
      case 'fileContainingSymbol':
        return described(symbols.get(question.value), `there is no symbol ${question.value}`);
      case 'fileContainingExtension':
        return failed('not-found', `${question.value.containingType} has no extensions`);
      case 'allExtensionNumbersOfType':
        return symbols.has(question.value)
          ? answer('allExtensionNumbersResponse', { baseTypeName: question.value, extensionNumber: [] })
          : failed('not-found', `there is no type ${question.value}`);
      default:
        return failed('invalid', 'this request asks for nothing that this daemon knows of');
    }
  };
}

const answer = <const C extends string, V>(name: C, value: V) => ({ case: name, value });

const failed = (kind: Kind, errorMessage: string) =>
  answer('errorResponse', { errorCode: KINDS[kind].grpc, errorMessage });

function described(file: DescFile | undefined, otherwise: string) {
  if (file === undefined) return failed('not-found', otherwise);
  const fileDescriptorProto = withImports(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return answer('fileDescriptorResponse', { fileDescriptorProto });
}

/** protobuf-es leaves the ending out of a file's name. */
const fileName = ({ proto }: DescFile): string => proto.name;

/** The file first, and each once. */
function withImports(file: DescFile): readonly DescFile[] {
  const found = new Set([file]);
  // A set hands out what is added to it meanwhile.
  for (const each of found) for (const imported of each.dependencies) found.add(imported);
  return [...found];
}

/** Full names of its types and methods: all that the protocol lets a client ask for. */
function symbolsOf(file: DescFile): readonly string[] {
  return [...nestedTypes(file)].flatMap((type) =>
    type.kind === 'service'
      ? [type.typeName, ...type.methods.map(({ name }) => `${type.typeName}.${name}`)]
      : [type.typeName],
  );
}
