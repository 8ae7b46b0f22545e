import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RULES } from '../../../core/api/methods.ts';
import { SERVICES } from '../../../core/api/services.ts';

const METHODS = SERVICES.flatMap((service) =>
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
    allowed('viewer').filter((path) => !/\/(Get|List|Watch|Check$|Call$|ServerReflectionInfo$)/.test(path)),
    [],
  );
  const words = [
    'AdoptDisks',
    'ForgetDisk',
    'CreatePool',
    'ExtendPool',
    'SharePool',
    'TakePool',
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
