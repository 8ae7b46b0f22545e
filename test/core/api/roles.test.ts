import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Attributes, roleOf } from '../../../core/api/roles.ts';
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
    'disk.adopt': ({ sltv }) => sltv.adoptDisks({ name: 'x' }),
    'disk.forget': ({ sltv }) => sltv.forgetDisk({ name: 'x' }),
    'pool.take': ({ pools }) => pools.take({ name: 'x' }),
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

const ROLES = [
  { subject: 'CN=monitor', role: 'viewer' },
  { subject: 'O=Example, OU=ops', role: 'operator' },
  { subject: 'CN=root', role: 'admin' },
  { subject: '*', role: 'viewer' },
] as const;

for (const [title, subject, role] of [
  ['named', { CN: 'monitor' }, 'viewer'],
  ['named among other attributes', { C: 'DE', O: 'Example', CN: 'root' }, 'admin'],
  ['with every attribute that is named', { O: 'Example', OU: 'ops', CN: 'x' }, 'operator'],
  ['with an attribute several times', { O: 'Example', OU: ['dev', 'ops'], CN: 'x' }, 'operator'],
  ['with a part of what is named', { OU: 'ops', CN: 'x' }, 'viewer'],
  ['whose name has the other in it', { CN: 'root.example' }, 'viewer'],
  ['whose name looks like two attributes', { CN: 'x, CN=root' }, 'viewer'],
  ['whose name ends in a byte of zero', { CN: 'root\0' }, 'viewer'],
  ['whose name is in other letters', { CN: 'ROOT' }, 'viewer'],
  ['with the name in another attribute', { OU: 'root', CN: 'x' }, 'viewer'],
  ['with two common names', { CN: ['root', 'x'] }, 'viewer'],
  ['without a name', {}, 'viewer'],
] satisfies [string, Attributes, Role][]) {
  test(`a certificate ${title} has the role ${role}`, () => {
    assert.is(roleOf(subject, { role: 'admin', roles: [...ROLES] }), role);
  });
}

test('a certificate never raises the role of its listener', () => {
  for (const role of ORDER)
    assert.is(roleOf({ CN: 'root' }, { role: 'viewer', roles: [{ subject: '*', role }] }), 'viewer');
});

test("whom no rule fits has the listener's role", () => {
  assert.is(roleOf({ CN: 'x' }, { role: 'operator', roles: [{ subject: 'CN=y', role: 'viewer' }] }), 'operator');
  assert.is(roleOf({ CN: ['x', 'y'] }, { role: 'operator', roles: [] }), 'operator');
});

test.run();
