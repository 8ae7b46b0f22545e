// The verbs of plugins, as their users see them. Core's own: test/core/cli/help.test.ts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { globalSpellings, splitGlobals } from '../../core/cli/globals.ts';
import { verbHelp } from '../../core/cli/help.ts';
import { parse } from '../../core/cli/parse.ts';
import { watchable } from '../../core/cli/watch.ts';
import { definitionOf } from '../../core/kernel/definition.ts';
import type { Verb } from '../../core/kernel/verb.ts';
import hello from '../../examples/plugin-hello/hello.ts';
import { modules } from '../../plugins/builtin.ts';

async function verbs(): Promise<readonly (readonly [words: string, verb: Verb])[]> {
  const loaded = await Promise.all(Object.values(modules).map((load) => load()));
  const factories = [hello, ...loaded.map((module): unknown => Reflect.get(module, 'default'))];
  return factories.flatMap((factory) => {
    const definition = typeof factory === 'function' ? definitionOf(factory()) : 'not a plugin';
    return typeof definition === 'string' ? [] : Object.entries(definition.verbs ?? {});
  });
}

for (const [words, verb] of await verbs()) {
  test(`the help of sltv ${words} has an example that it understands`, () => {
    const title = `sltv ${words}`;
    const command = watchable({ verb, spellings: {}, run: async () => ({ message: {} }) });
    assert.match(verbHelp(title, command), `\nExample:\n  ${verb.example}\n`);
    assert.ok(`${verb.example} `.startsWith(`${title} `), verb.example);
    const { rest } = splitGlobals(verb.example.slice(title.length).split(' ').filter(Boolean));
    parse({ title, ...command.verb, spellings: {}, nearby: globalSpellings }, rest);
  });
}

test('plugins have verbs', async () => {
  const found = (await verbs()).map(([words]) => words.split(' ')[0]);
  assert.equal([...new Set(found)], ['hello', 'autoextend']);
});

test.run();
