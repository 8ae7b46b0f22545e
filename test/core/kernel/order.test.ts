import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { many, one } from '../../../core/kernel/capability.ts';
import type { AnyDefinition } from '../../../core/kernel/definition.ts';
import { misfits, order, restrict } from '../../../core/kernel/order.ts';
import type { Verb } from '../../../core/kernel/verb.ts';

const Storage = many<string>('storage');
const Locks = one<string>('locks');
const Disks = one<string>('disks');

const plugin = (name: string, more: Partial<AnyDefinition> = {}): AnyDefinition => ({
  name,
  api: 1,
  setup() {},
  ...more,
});
const names = (plugins: readonly AnyDefinition[]) => plugins.map(({ name }) => name).join(' ');

const disks = plugin('disks', { accepts: { storage: Storage }, provides: { disks: Disks } });
const lvm = plugin('lvm', { requires: { locks: Locks }, provides: { storage: Storage } });
const dir = plugin('dir', { provides: { storage: Storage } });
const locks = plugin('local-lock', { provides: { locks: Locks } });
const autoextend = plugin('autoextend', { requires: { disks: Disks } });

test('providers come before their users, and the rest stays in the order of the config', () => {
  assert.is(names(order([autoextend, disks, lvm, dir, locks])), 'local-lock lvm dir disks autoextend');
  assert.is(names(order([locks, dir, lvm])), 'local-lock dir lvm');
});

test('plugins that fit have no problems', () => {
  assert.equal(misfits([disks, lvm, dir, locks, autoextend]), []);
});

test('a restriction takes the providers with what they require, and leaves what they only accept', () => {
  assert.is(names(restrict([autoextend, disks, lvm, dir, locks], [Storage])), 'lvm dir local-lock');
  assert.is(names(restrict([disks, dir], [Disks])), 'disks');
});

test('a missing provider is named with the plugin that could be added', () => {
  assert.equal(misfits([lvm], new Map([['localLock()', locks]])), [
    'plugin lvm requires locks, which no plugin in the config provides: add localLock() to plugins',
  ]);
});

test('a missing provider that nobody knows is named with the plugin that needs it', () => {
  assert.equal(misfits([lvm]), [
    'plugin lvm requires locks, which no plugin in the config provides: add a plugin that does, or take lvm out',
  ]);
});

test('a second provider of what has one is refused, and of what has many is not', () => {
  assert.equal(misfits([locks, plugin('etcd-lock', { provides: { locks: Locks } })]), [
    'plugins local-lock and etcd-lock both provide locks: keep one of them',
  ]);
  assert.equal(misfits([dir, plugin('nfs', { provides: { storage: Storage } })]), []);
});

test('plugins that wait for each other are named in a circle, once', () => {
  const chicken = plugin('chicken', { requires: { locks: Locks }, provides: { disks: Disks } });
  const egg = plugin('egg', { accepts: { disks: Disks }, provides: { locks: Locks } });
  assert.equal(misfits([dir, chicken, egg]), [
    'plugins wait for each other: chicken → egg → chicken; take one of them out',
  ]);
});

test('a plugin that is listed twice is named once', () => {
  assert.equal(misfits([dir, dir, dir]), ['plugin dir is listed twice: give one of them all the options']);
});

test('a plugin made for another contract is told so', () => {
  assert.equal(misfits([plugin('quota', { api: 2 })]), [
    'plugin quota was made for version 2 of the plugin contract, this sltv keeps version 1: take a version of quota that was made for it',
  ]);
});

test('a verb has to begin with its plugin’s name', () => {
  const verb = { about: '', example: '', role: 'viewer', args: {}, options: {}, gives: 'nothing', result: {} } as const;
  const problem = (words: string) => misfits([plugin('hello', { verbs: { [words]: verb } })]);
  assert.equal(problem('hello greet'), []);
  for (const words of ['disk create', 'hello', 'helloworld greet', 'hello Greet', 'hello  greet']) {
    assert.equal(problem(words), [
      `plugin hello: its verb '${words}' must begin with its own name, as in 'hello show'`,
    ]);
  }
});

test('a verb that is not declared as one is told so, with all that is wrong', () => {
  const good = { about: '', example: '', role: 'viewer', args: {}, options: {}, gives: 'item', result: {} };
  // As plain JavaScript may.
  const problem = (verb: unknown) => misfits([plugin('hello', { verbs: { 'hello greet': verb as Verb } })]);
  const said = "plugin hello: its verb 'hello greet' is not declared as one: ";
  assert.equal(problem({ ...good, result: { name: { type: 'text', about: '', choices: ['a'], list: true } } }), []);
  assert.equal(problem({ ...good, args: undefined }), [`${said}args: is missing`]);
  assert.equal(problem({ ...good, role: 'boss', options: { loud: { type: 'bool', about: '' } } }), [
    `${said}role: expected ("viewer" | "operator" | "admin"), got "boss"; options.loud.type: expected ("text" | "size" | "count" | "duration" | "flag" | "time"), got "bool"`,
  ]);
  assert.equal(problem(undefined), [`${said}is missing`]);
});

test('every problem is told at once', () => {
  const found = misfits([lvm, plugin('quota', { api: 0 }), plugin('Bad name')]);
  assert.is(found.length, 3);
});

test.run();
