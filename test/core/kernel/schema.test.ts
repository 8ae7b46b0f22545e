import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { CoreOptions } from '../../../core/kernel/config.ts';
import { aboutAt } from '../../../core/kernel/schema.ts';

const Options = v.strictObject({
  pools: v.pipe(v.optional(v.record(v.string(), v.string())), v.description('directories')),
  all: v.optional(v.pipe(v.array(v.strictObject({ url: v.string(), name: v.string() })), v.description('whom'))),
  plain: v.strictObject({ inside: v.optional(v.pipe(v.number(), v.description('a number inside')), 1) }),
});

test('an option is about what its schema describes, however it is wrapped', () => {
  assert.is(aboutAt(Options, ['pools']), 'directories');
  assert.is(aboutAt(Options, ['plain', 'inside']), 'a number inside');
});

test('what has no description of its own is about what it is part of', () => {
  assert.is(aboutAt(Options, ['pools', 'ssd']), 'directories');
  assert.is(aboutAt(Options, ['all', 0, 'url']), 'whom');
  assert.is(aboutAt(Options, ['plain']), undefined);
});

test('of several kinds that may stand there, the one that stands there says it', () => {
  const listen = [{ unix: '/a' }, { tcp: ':1', role: 'viewer' }];
  assert.match(aboutAt(CoreOptions, ['listen', 0, 'role'], { listen }) ?? '', 'a viewer looks');
  assert.match(aboutAt(CoreOptions, ['listen', 1, 'role'], { listen }) ?? '', 'where no certificate is asked for');
});

test.run();
