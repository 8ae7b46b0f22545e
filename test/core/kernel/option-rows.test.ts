import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import { aboutOf, optionRows } from '../../../core/kernel/option-rows.ts';

const only = (entry: v.GenericSchema) => optionRows(v.strictObject({ it: entry }))[0];

test('an option without a default is nothing, one that has to be there is required', () => {
  assert.is(only(v.optional(v.string()))?.default, '–');
  assert.is(only(v.string())?.default, 'required');
});

test('a default is written as a config would write it, unless the schema says it in words', () => {
  assert.is(only(v.optional(v.string(), '10G'))?.default, '`10G`');
  assert.is(only(v.optional(v.array(v.string()), ['a', 'b']))?.default, "`['a','b']`");
  assert.is(only(v.optional(v.boolean(), false))?.default, '`false`');
  const policy = v.optional(
    v.custom<() => void>(() => true),
    () => () => {},
  );
  assert.is(only(v.pipe(policy, v.metadata({ default: '`ahead()`' })))?.default, '`ahead()`');
});

test('what an option takes is said by its type, or by its title', () => {
  assert.is(only(v.optional(v.picklist(['a', 'b', 'c'])))?.takes, '`a`, `b` or `c`');
  assert.is(only(v.string())?.takes, 'text');
  assert.is(only(v.array(v.string()))?.takes, 'a list');
  assert.is(only(v.record(v.string(), v.string()))?.takes, 'names with values');
  assert.is(only(v.optional(v.pipe(v.number(), v.title('milliseconds')), 5))?.takes, 'milliseconds');
});

test('an option with parts is its parts, and stands before them when it has something to say', () => {
  const inner = v.strictObject({ port: v.optional(v.number()) });
  const names = (schema: v.GenericSchema) => optionRows(schema).map(({ option }) => option);
  assert.equal(names(v.strictObject({ at: v.optional(inner, {}), all: v.array(inner) })), ['at.port', 'all[].port']);
  assert.equal(names(v.strictObject({ all: v.pipe(v.array(inner), v.description('who')) })), ['all', 'all[].port']);
});

test('a description counts inside and outside of what makes an option optional', () => {
  assert.is(aboutOf(v.optional(v.pipe(v.string(), v.description('inside')))), 'inside');
  assert.is(aboutOf(v.pipe(v.optional(v.string()), v.description('outside'))), 'outside');
  assert.is(aboutOf(v.optional(v.string())), undefined);
});

test('an option says where more stands', () => {
  assert.is(only(v.pipe(v.string(), v.metadata({ see: 'security.md' })))?.see, 'security.md');
});

test.run();
