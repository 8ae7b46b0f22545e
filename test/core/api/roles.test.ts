import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../../core/client/index.ts';
import type { Role } from '../../../core/kernel/verb.ts';
import { startTrial } from './trial.ts';

const test = suite('roles');

const CALLS: Readonly<Record<Role, Readonly<Record<string, (client: Client) => Promise<unknown>>>>> = {
  viewer: {
    'disk.show': ({ sltv }) => sltv.getDisk({ name: 'x' }),
    'disk.list': ({ sltv }) => sltv.listDisks({}),
    'attachment.list': ({ sltv }) => sltv.listAttachments({}),
    'node.status': ({ sltv }) => sltv.getNodeStatus(),
    'cluster.status': ({ sltv }) => sltv.getClusterStatus(),
    'pool.list': ({ pools }) => pools.list(),
    'pool.show': ({ pools }) => pools.get({ name: 'mem' }),
    'vm.list': ({ vms }) => vms.list(),
    'plugin.list': ({ plugins }) => plugins.list(),
    "a viewer's verb": ({ plugins }) => plugins.call('trial fail', { how: 'busy' }),
  },
  operator: {
    'disk.create': ({ sltv }) => sltv.createDisk({ name: 'x' }),
    'disk.delete': ({ sltv }) => sltv.deleteDisk({ name: 'x' }),
    'disk.extend': ({ sltv }) => sltv.extendDisk({ name: 'x' }),
    'disk.resize': ({ sltv }) => sltv.resizeDisk({ name: 'x' }),
    'disk.attach': ({ sltv }) => sltv.attachDisk({ diskName: 'x', vmName: 'web' }),
    'disk.detach': ({ sltv }) => sltv.detachDisk({ diskName: 'x', vmName: 'web' }),
    "an operator's verb": ({ plugins }) => plugins.call('trial echo', { size: '1G' }),
  },
  admin: {
    'pool.create': ({ pools }) => pools.create({ name: 'x' }),
    'pool.extend': ({ pools }) => pools.extend({ name: 'mem' }),
  },
};
const ORDER: readonly Role[] = ['viewer', 'operator', 'admin'];

for (const role of ORDER) {
  for (const least of ORDER) {
    const isAllowed = ORDER.indexOf(role) >= ORDER.indexOf(least);
    test(`a socket for ${role}s ${isAllowed ? 'lets' : 'keeps'} its callers ${isAllowed ? 'do' : 'from'} what ${least}s do`, async () => {
      await using trial = await startTrial({ role });
      for (const [name, call] of Object.entries(CALLS[least])) {
        const code = await call(trial.client()).then(
          () => 'ok',
          (error) => error.code,
        );
        assert.is(code === 'core/denied', !isAllowed, `${name}: ${code}`);
      }
    });
  }
}

test('who is refused is told which role it takes, and what this socket gives', async () => {
  await using trial = await startTrial({ role: 'viewer' });
  const error = await trial
    .client()
    .pools.create({ name: 'x' })
    .catch((reason) => reason);
  assert.is(error.kind, 'denied');
  assert.is(error.message, `pool.create needs the role admin, and unix:${trial.path} gives viewer`);
  assert.ok(error.hint);
});

test.run();
