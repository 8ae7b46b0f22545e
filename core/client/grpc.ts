// Calls over gRPC: one HTTP/2 connection for those that are under way, and soon after the last of them none.
import { createConnection, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import {
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromJson,
  type JsonObject,
  type JsonValue,
  toJson,
} from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { ClusterService } from '../api/gen/sltv/v1/cluster_pb.ts';
import { ErrorInfoSchema } from '../api/gen/sltv/v1/errors_pb.ts';
import { EventService } from '../api/gen/sltv/v1/event_pb.ts';
import { NodeService } from '../api/gen/sltv/v1/node_pb.ts';
import { OperationService } from '../api/gen/sltv/v1/operation_pb.ts';
import { PluginService } from '../api/gen/sltv/v1/plugin_pb.ts';
import { PoolService } from '../api/gen/sltv/v1/pool_pb.ts';
import { Sltv } from '../api/gen/sltv/v1/sltv_pb.ts';
import { VmService } from '../api/gen/sltv/v1/vm_pb.ts';
import { coreErrors, kindOf, SltvError } from '../errors.ts';
import { type CallOptions, type Connection, freshId, LONGEST_TIMEOUT, PATIENCE } from './call.ts';
import { notReached, type Waiting } from './failure.ts';
import type { Protocol } from './protocol.ts';
import { secureOptions } from './tls.ts';

export function createGrpc(connection: Connection): Protocol {
  const ways = { createConnection: () => socketTo(connection) };
  const session = new Http2SessionManager(BASE_URL, { idleConnectionTimeoutMs: IDLE }, ways);
  const transport = createGrpcTransport({ baseUrl: BASE_URL, sessionManager: session });
  return {
    async call(path, body, options) {
      // The path of a method that answers once.
      const method = methodAt(path) as DescMethodUnary;
      const waiting = waitingFor(connection, options, options.timeout ?? connection.timeout);
      try {
        const request = read(method, body);
        const { message } = await transport.unary(method, waiting.any, undefined, waiting.header, request);
        return write(method, message);
      } catch (error) {
        throw asFailure(error, waiting);
      }
    },
    async *watch(path, body, options) {
      // The path of a method that answers with a stream.
      const method = methodAt(path) as DescMethodStreaming;
      const waiting = waitingFor(connection, options, options.timeout);
      try {
        const request = read(method, body);
        const { message } = await transport.stream(method, waiting.any, undefined, waiting.header, once(request));
        for await (const each of message) yield write(method, each);
      } catch (error) {
        throw asFailure(error, waiting);
      } finally {
        waiting.leave();
      }
    },
  };
}

function socketTo({ target, tls }: Connection): Socket {
  if ('socketPath' in target) return createConnection(target.socketPath);
  const { host, port, isSecure } = target;
  if (!isSecure) return createConnection(port, host);
  return connectSecurely({ host, port, ...secureOptions(host, tls), ALPNProtocols: ['h2'] });
}

/** The connection is made by us; of this only the name `localhost` reaches the daemon, which looks at no name. */
const BASE_URL = 'http://localhost';

/** Milliseconds for which a connection waits for the next call; no process waits for it. */
const IDLE = 100;

const METHODS: ReadonlyMap<string, DescMethod> = new Map(
  [Sltv, PoolService, NodeService, ClusterService, VmService, EventService, OperationService, PluginService].flatMap(
    ({ typeName, methods }) => methods.map((method): [string, DescMethod] => [`/${typeName}/${method.name}`, method]),
  ),
);

function methodAt(path: string): DescMethod {
  const method = METHODS.get(path);
  if (method !== undefined) return method;
  throw new Error(`${path} is no method of ours`);
}

interface GrpcWaiting extends Waiting {
  readonly header: Readonly<Record<string, string>>;
  /** Whatever ends the waiting. */
  readonly any: AbortSignal;
  readonly leave: () => void;
}

/** The deadline goes as a header alone: the daemon gets the time to say what it was waiting for. */
function waitingFor({ addr }: Connection, options: CallOptions, given: number | undefined): GrpcWaiting {
  const timeout = given === undefined ? undefined : Math.ceil(Math.min(given, LONGEST_TIMEOUT));
  const clock = timeout === undefined ? undefined : AbortSignal.timeout(timeout + PATIENCE);
  const leaving = new AbortController();
  const ends = [leaving.signal, options.signal, clock].filter((signal) => signal !== undefined);
  return {
    addr,
    timeout,
    signal: options.signal,
    clock,
    any: AbortSignal.any(ends),
    leave: () => leaving.abort(),
    header: {
      'sltv-request-id': options.requestId ?? freshId(),
      ...(timeout === undefined ? {} : { 'grpc-timeout': grpcTimeout(timeout) }),
    },
  };
}

/** gRPC takes at most eight digits. */
const grpcTimeout = (milliseconds: number): string =>
  milliseconds < 1e8 ? `${milliseconds}m` : `${Math.ceil(milliseconds / 1000)}S`;

function read<I extends DescMessage>({ input }: DescMethod & { readonly input: I }, body: object) {
  try {
    // What a caller's types allow is JSON.
    return fromJson(input, body as JsonValue);
  } catch (error) {
    throw coreErrors('input', error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** As the daemon writes JSON itself: defaults written out. */
const write = ({ output }: DescMethod, message: Parameters<typeof toJson>[1]): JsonObject =>
  // A message of ours is an object in JSON.
  toJson(output, message, { alwaysEmitImplicit: true }) as JsonObject;

async function* once<T>(message: T): AsyncGenerator<T, void> {
  yield message;
}

/** What the daemon said, or why it said nothing. */
function asFailure(error: unknown, waiting: Waiting): SltvError {
  if (!(error instanceof ConnectError)) return notReached(error, waiting);
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info !== undefined || error.metadata.has('grpc-status')) {
    const kind = kindOf(error.code);
    const hint = info?.hint === '' ? undefined : info?.hint;
    return new SltvError(kind, info?.code || `core/${kind}`, error.rawMessage, { hint });
  }
  return notReached(systemError(error), waiting);
}

/** The system's own error, which libraries wrap: only that says whether anybody was there. */
function systemError(error: Error): Error {
  if ('code' in error && typeof error.code === 'string') return error;
  return error.cause instanceof Error ? systemError(error.cause) : error;
}
