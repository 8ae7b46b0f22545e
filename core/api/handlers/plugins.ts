// The plugins of this daemon, and their verbs, called by the words that a shell would use.
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { coreErrors } from '../../errors.ts';
import type { BootedVerb } from '../../kernel/booted-verb.ts';
import type { Call } from '../../kernel/verb.ts';
import { nearest } from '../../nearest.ts';
import { callOf } from '../calls.ts';
import type { PluginService } from '../gen/sltv/v1/plugin_pb.ts';
import { toPlugin } from '../messages.ts';
import { demandRole } from '../roles.ts';
import type { Daemon } from './daemon.ts';

export function pluginHandlers(daemon: Daemon): ServiceImpl<typeof PluginService> {
  return {
    list: () => ({ plugins: daemon.booted.describe().map(toPlugin) }),

    call: async ({ words, input }, context) => {
      const call = callOf(context);
      const found = findVerb(daemon, words, call);
      if (found.verb.gives === 'stream') throw wrongMethod(words, 'a stream', 'Watch');
      return { results: items(await found.run(input ?? {}, call)).map(toJsonObject) };
    },

    async *watch({ words, input }, context) {
      const call = callOf(context);
      const found = findVerb(daemon, words, call);
      if (found.verb.gives !== 'stream') throw wrongMethod(words, 'no stream', 'Call');
      // What BootedVerb promises of a verb that gives a stream.
      const results = (await found.run(input ?? {}, call)) as AsyncIterable<object>;
      for await (const result of results) yield { result: toJsonObject(result) };
    },
  };
}

function findVerb(daemon: Daemon, words: string, call: Call): BootedVerb {
  const found = daemon.booted.verbs.get(words);
  if (!found) {
    const meant = nearest(words, daemon.booted.verbs.keys());
    throw coreErrors('unknown-verb', `no plugin of this daemon has a verb '${words}'`, {
      hint: meant === undefined ? 'sltv plugin list shows what there is' : `did you mean '${meant}'?`,
    });
  }
  demandRole(words, found.verb.role, call);
  return found;
}

const wrongMethod = (words: string, gives: string, method: string) =>
  coreErrors('input', `${words} gives ${gives}`, { hint: `call it by sltv.v1.PluginService/${method}` });

/** An item as a list of one, nothing as a list of none. */
function items(result: unknown): readonly object[] {
  if (Array.isArray(result)) return result;
  return typeof result === 'object' && result !== null ? [result] : [];
}

function toJsonObject(values: object): JsonObject {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [name, toJson(value)]));
}

/** Sizes as decimal strings of bytes, times in RFC 3339, the rest as it is. */
function toJson(value: unknown): JsonValue {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) return toJsonObject(value);
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}
