// One HTTP request, whatever its version and protocol, to the method that it asks for.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { createConnectRouter, createContextValues } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { Call } from '../kernel/verb.ts';
import { type Calls, callerKey } from './calls.ts';
import { explained, unknownMethod } from './explain.ts';
import { Health } from './gen/grpc/health/v1/health_pb.ts';
import { ServerReflection } from './gen/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from './gen/grpc/reflection/v1alpha/reflection_pb.ts';
import { ClusterService } from './gen/sltv/v1/cluster_pb.ts';
import { EventService } from './gen/sltv/v1/event_pb.ts';
import { NodeService } from './gen/sltv/v1/node_pb.ts';
import { OperationService } from './gen/sltv/v1/operation_pb.ts';
import { PluginService } from './gen/sltv/v1/plugin_pb.ts';
import { PoolService } from './gen/sltv/v1/pool_pb.ts';
import { Sltv } from './gen/sltv/v1/sltv_pb.ts';
import { VmService } from './gen/sltv/v1/vm_pb.ts';
import type { Daemon } from './handlers/daemon.ts';
import { eventHandlers } from './handlers/events.ts';
import { clusterHandlers, nodeHandlers } from './handlers/nodes.ts';
import { operationHandlers } from './handlers/operations.ts';
import { pluginHandlers } from './handlers/plugins.ts';
import { poolHandlers } from './handlers/pools.ts';
import { sltvHandlers } from './handlers/sltv.ts';
import { vmHandlers } from './handlers/vms.ts';
import type { Health as HealthState } from './health.ts';
import { JSON_OPTIONS } from './json.ts';
import { createReflection } from './reflection.ts';
import { SERVICES } from './services.ts';
import { legible } from './trailers.ts';

export type Request = IncomingMessage | Http2ServerRequest;
export type Response = (ServerResponse<IncomingMessage> & { req: IncomingMessage }) | Http2ServerResponse;
/** Answers a request that came through a listener; never throws. */
export type Routes = (request: Request, response: Response, caller: Call['caller']) => void;

/** Milliseconds; beyond it timers fire at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;

export function createRoutes(daemon: Daemon, calls: Calls, health: HealthState): Routes {
  const reflection = createReflection(SERVICES);
  const router = createConnectRouter({
    interceptors: [calls.interceptor],
    jsonOptions: JSON_OPTIONS,
    readMaxBytes: daemon.messageSize,
    maxTimeoutMs: MAX_TIMEOUT,
    acceptCompression: [compressionGzip],
  });
  router
    .service(Sltv, sltvHandlers(daemon))
    .service(PoolService, poolHandlers(daemon))
    .service(NodeService, nodeHandlers(daemon))
    .service(ClusterService, clusterHandlers(daemon))
    .service(VmService, vmHandlers(daemon))
    .service(EventService, eventHandlers(daemon, calls))
    .service(OperationService, operationHandlers(calls))
    .service(PluginService, pluginHandlers(daemon))
    .service(Health, health.handlers)
    .service(ServerReflection, reflection)
    .service(ServerReflectionAlpha, reflection);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response, caller) => {
    answer(handlers, request, response, caller).catch((error: unknown) => {
      daemon.log.debug('a request was not answered', { url: request.url, error });
      response.destroy();
    });
  };
}

async function answer(
  handlers: ReadonlyMap<string, UniversalHandler>,
  request: Request,
  response: Response,
  caller: Call['caller'],
): Promise<void> {
  const path = request.url?.split('?', 1)[0] ?? '';
  const handler = handlers.get(path);
  if (!handler) return await universalResponseToNodeResponse(unknownMethod(path, request.headers), response);
  // gRPC clients send anything as the authority of a Unix socket, such as its path, which is no URL's.
  request.headers.host = 'localhost';
  if ('authority' in request) request.headers[':authority'] = 'localhost';
  const values = createContextValues().set(callerKey, caller);
  const universal = await handler(universalRequestFromNodeRequest(request, response, undefined, values));
  const answer = legible(await explained(universal, handler.method, request.headers));
  await universalResponseToNodeResponse(answer, response);
}
