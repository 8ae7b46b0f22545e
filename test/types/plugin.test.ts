// What the contract must not let through. tsc checks this file with the rest; running it shows that what it lets through
// also is as it says.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Config,
  defineConfig,
  definePlugin,
  errors,
  event,
  gate,
  Locks,
  many,
  one,
  v,
  verb,
} from '../../core/index.ts';
import type { Bench, Conformance, StorageUnderTest } from '../../core/testing/index.ts';

interface Place {
  readonly name: string;
}
const Places = many<Place>('places');
const Clock = one<{ now(): number }>('clock');
const Moved = event<{ readonly to: string }>('moved');
const Move = gate<{ readonly to: string }>('move');
const go = verb({
  about: 'go there',
  example: 'walk go 10G',
  role: 'viewer',
  args: { far: { type: 'size', about: 'how far' }, via: { type: 'text', about: 'by', list: true, optional: true } },
  options: {
    slowly: { type: 'flag', about: 'slowly' },
    how: { type: 'text', about: 'how', choices: ['foot', 'bike'], optional: true },
  },
  gives: 'item',
  result: { took: { type: 'duration', about: 'milliseconds' } },
});

const walk = definePlugin({
  name: 'walk',
  api: 1,
  options: v.strictObject({ steps: v.number(), names: v.optional(v.array(v.string()), []) }),
  requires: { clock: Clock },
  accepts: { places: Places },
  provides: { places: Places },
  verbs: { 'walk go': go },
  errors: errors('walk', { tired: 'busy' }),
  setup({ options, use, on, before, emit }) {
    const steps: number = options.steps;
    const names: string[] = options.names;
    const now: number = use.clock.now();
    const places: readonly Place[] = use.places;
    on(Moved, ({ to }) => void to.length);
    before(Move, ({ to }) => (to === '' ? { reason: 'nowhere' } : undefined));
    emit(Moved, { to: 'here' });
    // @ts-expect-error an event carries what it was declared with
    emit(Moved, { where: 'here' });
    // @ts-expect-error an option that isn't declared
    void options.stairs;
    // @ts-expect-error a capability that isn't declared
    void use.locks;
    return {
      provides: { places: { name: `${steps}${names}${now}${places.length}` } },
      verbs: {
        'walk go': async ({ far, via, slowly, how }) => {
          const bytes: bigint = far;
          const words: readonly string[] | undefined = via;
          const flag: boolean | undefined = slowly;
          const choice: 'foot' | 'bike' | undefined = how;
          return { took: Number(bytes) + (words?.length ?? 0) + (flag ? 1 : 0) + (choice === 'bike' ? 1 : 0) };
        },
      },
    };
  },
});

const took = async () => ({ took: 1 });
const bare = definePlugin({ name: 'bare', api: 1, setup() {} });

// @ts-expect-error options without which the plugin can't be
void (() => walk());
// @ts-expect-error a misspelt option
void (() => walk({ steps: 1, nmaes: [] }));
// @ts-expect-error an option of the wrong type
void (() => walk({ steps: '1' }));

// @ts-expect-error made for another version of the contract
void (() => definePlugin({ name: 'old', api: 2, setup() {} }));
// @ts-expect-error what is declared has to be returned
void (() => definePlugin({ name: 'empty', api: 1, provides: { places: Places }, setup() {} }));
const wrong = { provides: { places: 5 } };
// @ts-expect-error and has to be of its type
void (() => definePlugin({ name: 'wrong', api: 1, provides: { places: Places }, setup: () => wrong }));
const greeting = { 'walk go': go };
// @ts-expect-error a verb begins with its plugin's name
void (() => definePlugin({ name: 'run', api: 1, verbs: greeting, setup: () => ({ verbs: { 'walk go': took } }) }));
const gone = { verbs: { 'walk go': async () => ({ gone: 1 }) } };
// @ts-expect-error a verb answers what it declared
void (() => definePlugin({ name: 'walk', api: 1, verbs: greeting, setup: () => gone }));
void (() => definePlugin({ name: 'walk', api: 1, verbs: greeting, setup: () => ({ verbs: { 'walk go': took } }) }));
// @ts-expect-error errors are in the plugin's own namespace
void (() => definePlugin({ name: 'mine', api: 1, errors: errors('yours', { tired: 'busy' }), setup() {} }));

// @ts-expect-error a factory that was not called
void (() => defineConfig({ plugins: [bare] }));
// @ts-expect-error a misspelt option of core
void (() => defineConfig({ plugins: [], statedir: '/x' }));
// @ts-expect-error a role that there isn't
void (() => defineConfig({ plugins: [], listen: [{ unix: '/x', role: 'boss' }] }));

const locksOf = async ({ boot }: Bench) => (await boot([bare()])).get(Locks);
const conformance: Conformance = {
  locks: { make: async (bench) => ({ locks: await locksOf(bench) }), another: locksOf },
};
// @ts-expect-error a capability that has no suite
void ({ ...conformance, lokcs: conformance.locks } satisfies Conformance);
// @ts-expect-error a subject that can't be made
void ({ locks: { another: locksOf } } satisfies Conformance);
// @ts-expect-error what is made is not what the suite is about
void ({ locks: { make: async (bench: Bench) => ({ storage: await locksOf(bench) }) } } satisfies Conformance);
const made = async ({ boot }: Bench) => (await boot([])).get(one<StorageUnderTest>('made'));
// @ts-expect-error a storage that does not say when its paths are there
void ({ storage: { make: made } } satisfies Conformance);

test('a factory gives a plugin by its name, with the options it was given', () => {
  const plugin = walk({ steps: 3 });
  const name: 'walk' = plugin.name;
  assert.is(name, 'walk');
  assert.equal(plugin.given, { steps: 3 });
  assert.equal(bare().given, {});
});

test('a config is what it says', () => {
  const config: Config = defineConfig({ thinInitialSize: '5G', plugins: [walk({ steps: 1 }), bare()] });
  assert.equal(
    config.plugins.map(({ name }) => name),
    ['walk', 'bare'],
  );
});

test.run();
