// Who may call what, and what it is called in events and in the log. Every method is here; a test holds it to the .proto files.
import type { StreamRequest, UnaryRequest } from '@connectrpc/connect';
import type { Role } from '../kernel/verb.ts';

export interface Rule {
  /** The operation's name in events and in the log. */
  readonly operation: string;
  /** The least role that may call it. */
  readonly role: Role;
  /** The field of the request that names what it is about. */
  readonly subject?: string;
  /** Answered while the daemon stops, too; as a stream it ends by itself then. */
  readonly duringStop?: true;
}

/** By `<service>/<method>`. A verb of a plugin is checked once more, against the role that it declares. */
export const RULES: Readonly<Record<string, Rule>> = {
  'sltv.v1.Sltv/CreateDisk': { operation: 'disk.create', role: 'operator', subject: 'name' },
  'sltv.v1.Sltv/DeleteDisk': { operation: 'disk.delete', role: 'operator', subject: 'name' },
  'sltv.v1.Sltv/GetDisk': { operation: 'disk.show', role: 'viewer', subject: 'name' },
  'sltv.v1.Sltv/ListDisks': { operation: 'disk.list', role: 'viewer', subject: 'vg' },
  'sltv.v1.Sltv/ExtendDisk': { operation: 'disk.extend', role: 'operator', subject: 'name' },
  'sltv.v1.Sltv/ResizeDisk': { operation: 'disk.resize', role: 'operator', subject: 'name' },
  'sltv.v1.Sltv/AdoptDisks': { operation: 'disk.adopt', role: 'admin', subject: 'name' },
  'sltv.v1.Sltv/ForgetDisk': { operation: 'disk.forget', role: 'admin', subject: 'name' },
  'sltv.v1.Sltv/AttachDisk': { operation: 'disk.attach', role: 'operator', subject: 'diskName' },
  'sltv.v1.Sltv/DetachDisk': { operation: 'disk.detach', role: 'operator', subject: 'diskName' },
  'sltv.v1.Sltv/ListAttachments': { operation: 'attachment.list', role: 'viewer', subject: 'diskName' },
  'sltv.v1.Sltv/GetNodeStatus': { operation: 'node.status', role: 'viewer' },
  'sltv.v1.Sltv/GetClusterStatus': { operation: 'cluster.status', role: 'viewer' },
  'sltv.v1.PoolService/ListPools': { operation: 'pool.list', role: 'viewer' },
  'sltv.v1.PoolService/GetPool': { operation: 'pool.show', role: 'viewer', subject: 'name' },
  'sltv.v1.PoolService/CreatePool': { operation: 'pool.create', role: 'admin', subject: 'name' },
  'sltv.v1.PoolService/ExtendPool': { operation: 'pool.extend', role: 'admin', subject: 'name' },
  'sltv.v1.PoolService/SharePool': { operation: 'pool.share', role: 'admin', subject: 'name' },
  'sltv.v1.PoolService/TakePool': { operation: 'pool.take', role: 'admin', subject: 'name' },
  'sltv.v1.PoolService/AcceptPool': { operation: 'pool.accept', role: 'admin', subject: 'name' },
  'sltv.v1.PoolService/ShellPool': { operation: 'pool.shell', role: 'admin', subject: 'name' },
  'sltv.v1.NodeService/ListNodes': { operation: 'node.list', role: 'viewer' },
  'sltv.v1.NodeService/FenceNode': { operation: 'node.fence', role: 'admin', subject: 'name' },
  'sltv.v1.NodeService/RetireNode': { operation: 'node.retire', role: 'admin', subject: 'name' },
  'sltv.v1.ClusterService/RecoverCluster': { operation: 'cluster.recover', role: 'admin' },
  'sltv.v1.VmService/ListVms': { operation: 'vm.list', role: 'viewer' },
  'sltv.v1.EventService/WatchEvents': { operation: 'event.watch', role: 'viewer' },
  'sltv.v1.OperationService/ListOperations': { operation: 'operation.list', role: 'viewer' },
  'sltv.v1.OperationService/CancelOperation': { operation: 'operation.cancel', role: 'operator', subject: 'requestId' },
  'sltv.v1.PluginService/List': { operation: 'plugin.list', role: 'viewer' },
  'sltv.v1.PluginService/Call': { operation: 'plugin.call', role: 'viewer', subject: 'words' },
  'sltv.v1.PluginService/Watch': { operation: 'plugin.watch', role: 'viewer', subject: 'words' },
  'grpc.health.v1.Health/Check': { operation: 'health.check', role: 'viewer', subject: 'service', duringStop: true },
  'grpc.health.v1.Health/Watch': { operation: 'health.watch', role: 'viewer', subject: 'service', duringStop: true },
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo': { operation: 'schema.show', role: 'viewer' },
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': { operation: 'schema.show', role: 'viewer' },
};

export type Request = UnaryRequest | StreamRequest;

/** What is known of a request from the outside. */
export interface Seen {
  readonly rule: Rule;
  /** The request to pass on. */
  readonly request: Request;
  /** What it is about, as soon as that is known: a stream's message comes later than its call. */
  readonly subject: () => string;
}

export function look(request: Request): Seen {
  const name = `${request.service.typeName}/${request.method.name}`;
  const rule = RULES[name];
  if (rule === undefined) throw new Error(`nobody has said who may call ${name}`);
  const read = (message: object) => (rule.subject === undefined ? '' : String(Reflect.get(message, rule.subject)));
  if (!request.stream) return { rule, request, subject: () => read(request.message) };
  let subject = '';
  const message = noted(request.message, (each) => {
    subject = read(each);
  });
  return { rule, request: { ...request, message }, subject: () => subject };
}

async function* noted<T extends object>(source: AsyncIterable<T>, note: (message: T) => void): AsyncGenerator<T> {
  for await (const message of source) {
    note(message);
    yield message;
  }
}
