// All that a listener serves: our services, and gRPC's own about them.
import type { DescService } from '@bufbuild/protobuf';
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

export const SERVICES: readonly DescService[] = [
  Sltv,
  PoolService,
  NodeService,
  ClusterService,
  VmService,
  EventService,
  OperationService,
  PluginService,
  Health,
  ServerReflection,
  ServerReflectionAlpha,
];
