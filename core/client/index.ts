// Talks to a daemon. No protobuf code is loaded, so a command starts as fast as Node does; published.ts has what more programs want.
import type { JsonObject } from '@bufbuild/protobuf';
import { DEFAULT_ADDRESS, parseAddress } from './address.ts';
import type { CallOptions, Connection } from './call.ts';
import type * as Wire from './messages.ts';
import { overJson, type Protocol } from './protocol.ts';
import type { TlsOptions } from './tls.ts';

export { coreErrors, KINDS, type Kind, SltvError } from '../errors.ts';
export { DEFAULT_ADDRESS } from './address.ts';
export type { CallOptions } from './call.ts';
export type * from './messages.ts';
export type { TlsOptions } from './tls.ts';

export interface ClientOptions {
  /** `unix:///path`, or `host:port` for TLS; `http://host:port`, as of a tunnel, goes without. Default `DEFAULT_ADDRESS`. */
  readonly addr?: string | undefined;
  /** For an address with TLS. */
  readonly tls?: TlsOptions | undefined;
  /** Milliseconds that a call may take unless it says otherwise; default 30,000. Streams have no end unless theirs says so. */
  readonly timeout?: number | undefined;
}

type Method<Request, Response> = (request: Request, options?: CallOptions) => Promise<Response>;

/**
 * The daemon's services. Every method throws SltvError with the daemon's own kind, code and hint; on the way there:
 * `core/no-daemon` when nobody answers, `core/denied` when the socket may not be opened, `core/untrusted-daemon` and
 * `core/tls-file` over TLS, `core/timeout`, `core/cancelled`.
 */
export interface Client {
  /** As it was asked for, for messages: `unix:///run/sltv/sltvd.sock`. */
  readonly addr: string;
  readonly sltv: {
    readonly createDisk: Method<Wire.CreateDiskRequest, Wire.Disk>;
    readonly deleteDisk: Method<Wire.DeleteDiskRequest, void>;
    readonly getDisk: Method<Wire.GetDiskRequest, Wire.Disk>;
    readonly listDisks: Method<Wire.ListDisksRequest, Wire.ListDisksResponse>;
    readonly extendDisk: Method<Wire.ExtendDiskRequest, Wire.Disk>;
    readonly resizeDisk: Method<Wire.ResizeDiskRequest, Wire.Disk>;
    readonly adoptDisks: Method<Wire.AdoptDisksRequest, Wire.AdoptDisksResponse>;
    readonly forgetDisk: Method<Wire.ForgetDiskRequest, void>;
    readonly attachDisk: Method<Wire.AttachDiskRequest, Wire.Attachment>;
    readonly detachDisk: Method<Wire.DetachDiskRequest, void>;
    readonly listAttachments: Method<Wire.ListAttachmentsRequest, Wire.ListAttachmentsResponse>;
    readonly getNodeStatus: (options?: CallOptions) => Promise<Wire.NodeStatus>;
    readonly getClusterStatus: (options?: CallOptions) => Promise<Wire.ClusterStatus>;
  };
  readonly pools: {
    readonly list: (options?: CallOptions) => Promise<Wire.Pool[]>;
    readonly get: Method<Wire.GetPoolRequest, Wire.Pool>;
    readonly create: Method<Wire.CreatePoolRequest, Wire.Pool>;
    readonly extend: Method<Wire.ExtendPoolRequest, Wire.Pool>;
    readonly share: Method<Wire.SharePoolRequest, Wire.Pool>;
    readonly take: Method<Wire.TakePoolRequest, Wire.Pool>;
    readonly accept: Method<Wire.AcceptPoolRequest, Wire.Pool>;
    readonly shell: Method<Wire.ShellPoolRequest, Wire.ShellPoolResponse>;
  };
  readonly nodes: {
    readonly list: (options?: CallOptions) => Promise<Wire.Node[]>;
    readonly fence: Method<Wire.FenceNodeRequest, Wire.Node>;
    readonly retire: Method<Wire.RetireNodeRequest, void>;
  };
  readonly cluster: {
    /** The nodes that were asked. */
    readonly recover: (options?: CallOptions) => Promise<string[]>;
  };
  readonly vms: {
    readonly list: (options?: CallOptions) => Promise<Wire.Vm[]>;
  };
  readonly operations: {
    /** What the daemon has in hand, the oldest first. */
    readonly list: (options?: CallOptions) => Promise<Wire.Operation[]>;
    readonly cancel: Method<Wire.CancelOperationRequest, void>;
  };
  readonly events: {
    /** The latest, and with `follow` what happens from then on; leaving the loop ends it. */
    readonly watch: (request: Wire.WatchEventsRequest, options?: CallOptions) => AsyncIterable<Wire.Event>;
  };
  readonly plugins: {
    readonly list: (options?: CallOptions) => Promise<Wire.Plugin[]>;
    /** Runs a verb that gives an item, a list or nothing: one object for an item, none for nothing. */
    readonly call: (words: string, input: JsonObject, options?: CallOptions) => Promise<JsonObject[]>;
    /** Runs a verb that gives a stream; leaving the loop ends it. */
    readonly watch: (words: string, input: JsonObject, options?: CallOptions) => AsyncIterable<JsonObject>;
  };
}

/**
 * Makes a client, which speaks JSON unless told otherwise: then it connects with each call and holds nothing in between.
 * Errors: `core/input` for a bad address.
 */
export function connect(options: ClientOptions = {}, speak: (connection: Connection) => Protocol = overJson): Client {
  const addr = options.addr ?? DEFAULT_ADDRESS;
  const connection: Connection = {
    addr,
    target: parseAddress(addr),
    tls: options.tls ?? {},
    timeout: options.timeout ?? DEFAULT_TIMEOUT,
  };
  const protocol = speak(connection);
  const sltv = methods(protocol, 'sltv.v1.Sltv');
  const pools = methods(protocol, 'sltv.v1.PoolService');
  const nodes = methods(protocol, 'sltv.v1.NodeService');
  const cluster = methods(protocol, 'sltv.v1.ClusterService');
  const vms = methods(protocol, 'sltv.v1.VmService');
  const operations = methods(protocol, 'sltv.v1.OperationService');
  const plugins = methods(protocol, 'sltv.v1.PluginService');
  const extendPool = pools<Wire.ExtendPoolRequest, Wire.ExtendPoolResponse>('ExtendPool');
  return {
    addr,
    sltv: {
      createDisk: sltv('CreateDisk'),
      deleteDisk: done(sltv('DeleteDisk')),
      getDisk: sltv('GetDisk'),
      listDisks: sltv('ListDisks'),
      extendDisk: sltv('ExtendDisk'),
      resizeDisk: sltv('ResizeDisk'),
      adoptDisks: sltv('AdoptDisks'),
      forgetDisk: done(sltv('ForgetDisk')),
      attachDisk: sltv('AttachDisk'),
      detachDisk: done(sltv('DetachDisk')),
      listAttachments: sltv('ListAttachments'),
      getNodeStatus: asking(sltv('GetNodeStatus')),
      getClusterStatus: asking(sltv('GetClusterStatus')),
    },
    pools: {
      list: async (options) => (await asking(pools<object, Wire.ListPoolsResponse>('ListPools'))(options)).pools,
      get: async (request, options) => (await pools<object, Wire.GetPoolResponse>('GetPool')(request, options)).pool,
      create: async (request, options) =>
        (await pools<object, Wire.CreatePoolResponse>('CreatePool')(request, options)).pool,
      extend: async (request, options) => (await extendPool(request, options)).pool,
      share: async (request, options) =>
        (await pools<object, Wire.SharePoolResponse>('SharePool')(request, options)).pool,
      take: async (request, options) => (await pools<object, Wire.TakePoolResponse>('TakePool')(request, options)).pool,
      accept: async (request, options) =>
        (await pools<object, Wire.AcceptPoolResponse>('AcceptPool')(request, options)).pool,
      shell: pools('ShellPool'),
    },
    nodes: {
      list: async (options) => (await asking(nodes<object, Wire.ListNodesResponse>('ListNodes'))(options)).nodes,
      fence: async (request, options) =>
        (await nodes<object, Wire.FenceNodeResponse>('FenceNode')(request, options)).node,
      retire: done(nodes('RetireNode')),
    },
    cluster: {
      recover: async (options) =>
        (await asking(cluster<object, Wire.RecoverClusterResponse>('RecoverCluster'))(options)).nodes,
    },
    vms: {
      list: async (options) => (await asking(vms<object, Wire.ListVmsResponse>('ListVms'))(options)).vms,
    },
    operations: {
      list: async (options) =>
        (await asking(operations<object, Wire.ListOperationsResponse>('ListOperations'))(options)).operations,
      cancel: done(operations('CancelOperation')),
    },
    events: {
      watch: (request, options) => eventsOf(protocol, request, options ?? {}),
    },
    plugins: {
      list: async (options) => (await asking(plugins<object, Wire.ListPluginsResponse>('List'))(options)).plugins,
      call: async (words, input, options) =>
        (await plugins<object, Wire.CallVerbResponse>('Call')({ words, input }, options)).results,
      watch: (words, input, options) => resultsOf(protocol, { words, input }, options ?? {}),
    },
  };
}

async function* eventsOf(
  protocol: Protocol,
  request: Wire.WatchEventsRequest,
  options: CallOptions,
): AsyncIterable<Wire.Event> {
  for await (const response of protocol.watch('/sltv.v1.EventService/WatchEvents', request, options)) {
    // The daemon writes it by the schema that the type was generated from.
    yield (response as unknown as { event: Wire.Event }).event;
  }
}

async function* resultsOf(
  protocol: Protocol,
  request: { readonly words: string; readonly input: JsonObject },
  options: CallOptions,
): AsyncIterable<JsonObject> {
  for await (const response of protocol.watch('/sltv.v1.PluginService/Watch', request, options)) {
    // As above.
    yield (response as { result?: JsonObject }).result ?? {};
  }
}

/** Milliseconds. */
const DEFAULT_TIMEOUT = 30_000;

const methods =
  (protocol: Protocol, service: string) =>
  <Request extends object, Response>(method: string): Method<Request, Response> =>
  // The daemon writes its answer by the schema that `Response` was generated from.
  async (request, options) =>
    (await protocol.call(`/${service}/${method}`, request, options ?? {})) as Response;

/** A method whose answer says nothing. */
const done =
  <Request>(method: Method<Request, unknown>): Method<Request, void> =>
  async (request, options) => {
    await method(request, options);
  };

/** A method whose request says nothing. */
const asking =
  <Response>(method: Method<object, Response>) =>
  (options?: CallOptions): Promise<Response> =>
    method({}, options);
