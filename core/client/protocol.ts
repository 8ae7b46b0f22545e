// How a client's calls go over the wire: one interface, and the ways there are.
import type { JsonObject } from '@bufbuild/protobuf';
import { type CallOptions, type Connection, call } from './call.ts';
import { watch } from './watch.ts';

/** `path` is `/<service>/<method>`; messages are proto3 JSON on both sides. Errors are SltvErrors. */
export interface Protocol {
  /** Asks once and reads the whole answer. */
  call(path: string, body: object, options: CallOptions): Promise<unknown>;
  /** Asks once and hands out each response as it comes; leaving the loop ends it. */
  watch(path: string, body: object, options: CallOptions): AsyncIterable<JsonObject>;
}

/** Bare HTTP/1.1, a connection for each call. */
export function overJson(connection: Connection): Protocol {
  return {
    call: (path, body, options) => call(connection, path, body, options),
    watch: (path, body, options) => watch(connection, path, body, options),
  };
}

/** gRPC, whose libraries are loaded with the first call. */
export function overGrpc(connection: Connection): Protocol {
  let loaded: Promise<Protocol> | undefined;
  const load = () => {
    loaded ??= import('./grpc.ts').then(({ createGrpc }) => createGrpc(connection));
    return loaded;
  };
  return {
    call: async (path, body, options) => (await load()).call(path, body, options),
    async *watch(path, body, options) {
      yield* (await load()).watch(path, body, options);
    },
  };
}
