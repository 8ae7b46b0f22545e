// The messages as a client reads and writes them. Types only: nothing of the generated code is loaded.
import type { JsonObject } from '@bufbuild/protobuf';
import type { RecoverClusterResponseJson } from '../api/gen/sltv/v1/cluster_pb.ts';
import type { EventJson } from '../api/gen/sltv/v1/event_pb.ts';
import type * as node from '../api/gen/sltv/v1/node_pb.ts';
import type { ListOperationsResponseJson } from '../api/gen/sltv/v1/operation_pb.ts';
import type { ListResponseJson } from '../api/gen/sltv/v1/plugin_pb.ts';
import type * as pool from '../api/gen/sltv/v1/pool_pb.ts';
import type * as sltv from '../api/gen/sltv/v1/sltv_pb.ts';
import type { ListVmsResponseJson, VmJson } from '../api/gen/sltv/v1/vm_pb.ts';

export type { JsonObject, JsonValue } from '@bufbuild/protobuf';
export type { WatchEventsRequestJson as WatchEventsRequest } from '../api/gen/sltv/v1/event_pb.ts';
export type {
  FenceNodeRequestJson as FenceNodeRequest,
  RetireNodeRequestJson as RetireNodeRequest,
} from '../api/gen/sltv/v1/node_pb.ts';
export type { CancelOperationRequestJson as CancelOperationRequest } from '../api/gen/sltv/v1/operation_pb.ts';
export type {
  AcceptPoolRequestJson as AcceptPoolRequest,
  CreatePoolRequestJson as CreatePoolRequest,
  ExtendPoolRequestJson as ExtendPoolRequest,
  GetPoolRequestJson as GetPoolRequest,
  SharePoolRequestJson as SharePoolRequest,
  ShellPoolRequestJson as ShellPoolRequest,
  TakePoolRequestJson as TakePoolRequest,
} from '../api/gen/sltv/v1/pool_pb.ts';
export type {
  AdoptDisksRequestJson as AdoptDisksRequest,
  AttachDiskRequestJson as AttachDiskRequest,
  CreateDiskRequestJson as CreateDiskRequest,
  DeleteDiskRequestJson as DeleteDiskRequest,
  DetachDiskRequestJson as DetachDiskRequest,
  ExtendDiskRequestJson as ExtendDiskRequest,
  ForgetDiskRequestJson as ForgetDiskRequest,
  GetDiskRequestJson as GetDiskRequest,
  ListAttachmentsRequestJson as ListAttachmentsRequest,
  ListDisksRequestJson as ListDisksRequest,
  ProvisionModeJson as ProvisionMode,
  ResizeDiskRequestJson as ResizeDiskRequest,
} from '../api/gen/sltv/v1/sltv_pb.ts';

/** A time that may not have been. */
type Unset = 'time' | 'begunAt' | 'createdAt' | 'lastExtendedAt' | 'attachedAt' | 'lastSeen';

/** A message as the daemon writes it: defaults written out, so that every field is there but times that have not been. */
type Written<T> = T extends readonly (infer E)[]
  ? Written<E>[]
  : T extends object
    ? { [K in keyof T as K extends Unset ? never : K]-?: Written<NonNullable<T[K]>> } & {
        [K in keyof T as K extends Unset ? K : never]: T[K];
      }
    : T;

export type Disk = Written<sltv.DiskJson>;
export type AdoptDisksResponse = Written<sltv.AdoptDisksResponseJson>;
export type Attachment = Written<sltv.AttachmentJson>;
export type NodeStatus = Written<sltv.NodeStatusJson>;
export type ClusterStatus = Written<sltv.ClusterStatusJson>;
export type ListDisksResponse = Written<sltv.ListDisksResponseJson>;
export type ListAttachmentsResponse = Written<sltv.ListAttachmentsResponseJson>;
export type Pool = Written<pool.PoolJson>;
export type ListPoolsResponse = Written<pool.ListPoolsResponseJson>;
export type GetPoolResponse = Written<pool.GetPoolResponseJson>;
export type CreatePoolResponse = Written<pool.CreatePoolResponseJson>;
export type ExtendPoolResponse = Written<pool.ExtendPoolResponseJson>;
export type SharePoolResponse = Written<pool.SharePoolResponseJson>;
export type TakePoolResponse = Written<pool.TakePoolResponseJson>;
export type AcceptPoolResponse = Written<pool.AcceptPoolResponseJson>;
export type ShellPoolResponse = Written<pool.ShellPoolResponseJson>;
export type Node = Written<node.NodeJson>;
export type ListNodesResponse = Written<node.ListNodesResponseJson>;
export type FenceNodeResponse = Written<node.FenceNodeResponseJson>;
export type RecoverClusterResponse = Written<RecoverClusterResponseJson>;
export type Event = Written<EventJson>;
export type ListOperationsResponse = Written<ListOperationsResponseJson>;
export type Operation = ListOperationsResponse['operations'][number];
export type Vm = Written<VmJson>;
export type ListVmsResponse = Written<ListVmsResponseJson>;
export type ListPluginsResponse = Written<ListResponseJson>;
export type Plugin = ListPluginsResponse['plugins'][number];
export type PluginVerb = Plugin['verbs'][number];
export type PluginField = PluginVerb['args'][number];

/** Results of a plugin's verb, by the fields that it declares. */
export interface CallVerbResponse {
  readonly results: JsonObject[];
}
