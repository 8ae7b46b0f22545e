// What plugins add to a disk, and what they can't spoil.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { factsAbout } from '../../../core/api/disk-facts.ts';
import { type Disk, DiskFacts, Disks } from '../../../core/capabilities/disks.ts';
import { definePlugin } from '../../../core/kernel/plugin.ts';
import type { Fields } from '../../../core/kernel/verb.ts';
import { keptLog } from '../kernel/kit.ts';
import { startTrial } from './trial.ts';

const test = suite('facts about disks');

const disk: Disk = {
  id: 'i',
  name: 'd',
  pool: 'p',
  mode: 'thin',
  size: 1n,
  virtualSize: 2n,
  path: '/dev/p/d',
  state: 'ready',
  createdOn: undefined,
  createdAt: undefined,
  lastExtendedAt: undefined,
  end: undefined,
  settings: {},
  owner: undefined,
};

const FIELDS = {
  policy: { type: 'text', about: 'how it grows' },
  step: { type: 'size', about: 'by how much', optional: true },
  pauses: { type: 'count', about: 'how often', optional: true },
  wait: { type: 'duration', about: 'how long', optional: true },
  isWatched: { type: 'flag', about: 'whether', optional: true },
  since: { type: 'time', about: 'since when', optional: true },
  vms: { type: 'text', about: 'where', list: true, optional: true },
} as const satisfies Fields;

/** What is told when providers say these things, and what is logged. */
function told(...sayings: readonly (() => unknown)[]) {
  const { log, lines } = keptLog();
  const providers = sayings.map((say) => ({ fields: FIELDS, of: say as DiskFacts['of'] }));
  const facts = factsAbout(disk, providers, log);
  return {
    facts: Object.fromEntries(facts.map(({ name = '', values }) => [name, values])),
    lines: lines.map(({ message }) => message),
  };
}

test('every type has its words', () => {
  const since = new Date('2026-01-31T12:00:00Z');
  const said = { policy: 'keep', step: 2n ** 60n, pauses: 3, wait: 1500, isWatched: false, since, vms: ['a', 'b'] };
  assert.equal(
    told(() => said),
    {
      facts: {
        policy: ['keep'],
        step: ['1152921504606846976'],
        pauses: ['3'],
        wait: ['1500'],
        isWatched: ['false'],
        since: ['2026-01-31T12:00:00.000Z'],
        vms: ['a', 'b'],
      },
      lines: [],
    },
  );
});

test('nothing to say is nothing', () => {
  assert.equal(
    told(
      () => undefined,
      () => ({}),
    ),
    { facts: {}, lines: [] },
  );
  assert.equal(told(() => ({ vms: [] })).facts, { vms: [] });
});

for (const [name, value] of [
  ['policy', 5],
  ['step', 5],
  ['step', -1n],
  ['pauses', 1.5],
  ['wait', Number.NaN],
  ['isWatched', 'yes'],
  ['since', new Date('never')],
  ['since', '2026'],
  ['vms', 'a'],
  ['vms', ['a', 1]],
  ['policy', ['a']],
] as const) {
  test(`${name} that is ${Array.isArray(value) ? `[${value}]` : typeof value === 'bigint' ? `${value}n` : value} harms its own line only`, () => {
    const { facts, lines } = told(() => ({ policy: 'keep', step: 1n, [name]: value }));
    assert.not.ok(name in facts);
    assert.is(Object.keys(facts).length, name === 'policy' || name === 'step' ? 1 : 2);
    assert.equal(lines, ['a plugin said of a disk what is not of the type that it declared']);
  });
}

test('what was not declared is left out', () => {
  const { facts, lines } = told(() => ({ policy: 'keep', polcy: 'x' }));
  assert.equal(facts, { policy: ['keep'] });
  assert.equal(lines, ['a plugin said of a disk what it did not declare']);
});

for (const [title, say] of [
  ['throws', () => JSON.parse('{')],
  ['says a number', () => 5],
  ['says null', () => null],
] as const) {
  test(`a provider that ${title} leaves the others' lines`, () => {
    const { facts, lines } = told(say, () => ({ policy: 'keep' }));
    assert.equal(facts, { policy: ['keep'] });
    assert.equal(lines, ['a plugin could not say what it knows of a disk']);
  });
}

test('GetDisk tells them, and how far a thin disk is written; lists do not ask', async () => {
  const asked: string[] = [];
  const watcher = definePlugin({
    name: 'watcher',
    api: 1,
    provides: { facts: DiskFacts },
    setup: () => ({
      provides: {
        facts: {
          fields: FIELDS,
          of: ({ name, end }: Disk) => {
            asked.push(name);
            return { policy: `at ${end}` };
          },
        },
      },
    }),
  });
  await using trial = await startTrial({ more: [watcher()] });
  const { sltv } = trial.client();
  const made = await sltv.createDisk({
    name: 'd',
    mode: 'PROVISION_MODE_THIN',
    virtualSizeBytes: String(2 ** 30),
  });
  assert.equal([made.facts, made.endBytes], [[], '0']);
  trial.booted.provided(Disks)?.noteEnd({ pool: 'mem', name: 'd' }, 4096n);
  const { facts, endBytes } = await sltv.getDisk({ name: 'd' });
  assert.is(endBytes, '4096');
  assert.equal(facts, [{ name: 'policy', type: 'text', about: 'how it grows', list: false, values: ['at 4096'] }]);
  assert.equal((await sltv.listDisks({})).disks[0]?.facts, []);
  assert.equal(asked, ['d']);
});

test.run();
