import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClusterService } from '../../../core/api/gen/sltv/v1/cluster_pb.ts';
import { NodeService } from '../../../core/api/gen/sltv/v1/node_pb.ts';
import { PluginService } from '../../../core/api/gen/sltv/v1/plugin_pb.ts';
import { PoolService } from '../../../core/api/gen/sltv/v1/pool_pb.ts';
import { Sltv } from '../../../core/api/gen/sltv/v1/sltv_pb.ts';
import { VmService } from '../../../core/api/gen/sltv/v1/vm_pb.ts';
import { RULES } from '../../../core/api/methods.ts';

const METHODS = [Sltv, PoolService, NodeService, ClusterService, VmService, PluginService].flatMap((service) =>
  service.methods.map((method) => ({ path: `${service.typeName}/${method.name}`, method })),
);

test('every method of every service has a rule, and no rule is for a method that is not', () => {
  assert.equal(Object.keys(RULES).toSorted(), METHODS.map(({ path }) => path).toSorted());
});

test('what a rule calls the subject is a text field of the request', () => {
  for (const { path, method } of METHODS) {
    const subject = RULES[path]?.subject;
    if (subject === undefined) continue;
    const field = method.input.fields.find(({ localName }) => localName === subject);
    assert.ok(field?.fieldKind === 'scalar', `${path}: ${subject}`);
  }
});

test('a viewer may call what only reads, and only an admin what changes pools and nodes', () => {
  const allowed = (role: string) => Object.keys(RULES).filter((path) => RULES[path]?.role === role);
  assert.equal(
    allowed('viewer').filter((path) => !/\/(Get|List|Call$|Watch$)/.test(path)),
    [],
  );
  const words = [
    'CreatePool',
    'ExtendPool',
    'SharePool',
    'AcceptPool',
    'ShellPool',
    'FenceNode',
    'RetireNode',
    'RecoverCluster',
  ];
  assert.equal(
    allowed('admin').map((path) => path.split('/')[1]),
    words,
  );
});

test.run();
