// plugins/autoextend: no guest stops because its thin disk is full.
import {
  type Call,
  DiskAdopted,
  DiskExtended,
  DiskFacts,
  DiskResized,
  Disks,
  definePlugin,
  Hypervisor,
  type HypervisorEvent,
  MetricSources,
  PoolGrown,
  Storage,
  v,
  verb,
} from 'sltv';
import { createAgain } from './again.ts';
import { ahead } from './ahead.ts';
import { fail } from './errors.ts';
import { createKeeper, type Keeper } from './keeper.ts';
import { metricsOf } from './metrics.ts';
import type { Policy } from './policy.ts';
import { createRescue } from './rescue.ts';
import { notesFor, settingsOf } from './settings.ts';
import { createShortages } from './shortage.ts';
import { factFields, factsOf, planFields, planOf, statusFields, statusOf } from './status.ts';

export { type AheadOptions, ahead } from './ahead.ts';
export { type KeepFreeOptions, keepFree } from './keep-free.ts';
export type { Extension, Policy, Sample, Wish } from './policy.ts';

const AutoextendOptions = v.strictObject({
  policy: v.pipe(
    v.optional(
      v.custom<Policy>(
        (value) => typeof value === 'function',
        "a policy is a function, such as keepFree({ percent: 10, step: '10%' })",
      ),
      () => ahead(),
    ),
    v.title('a function'),
    v.metadata({ default: '`ahead()`', see: 'thin-provisioning.md#policies' }),
    v.description(
      "when a thin disk in a running VM grows, and by how much: `ahead({ … })`, `keepFree({ percent: 10, step: '10%' })`, or one of your own",
    ),
  ),
  poll: v.pipe(
    v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1_000, 'at least 1000 milliseconds'),
        v.title('a number, 1000 or more'),
      ),
      15_000,
    ),
    v.description('milliseconds between two looks at all guests, which repair what events missed'),
  ),
  events: v.pipe(
    v.optional(v.boolean(), true),
    v.description('whether QEMU tells when a disk fills; `false` arms nothing and leaves it to the looks'),
  ),
});

const disk = { type: 'text', about: 'NAME or POOL/NAME', optional: true } as const;

const verbs = {
  'autoextend status': verb({
    about: 'how far thin disks are ahead of their guests',
    example: 'sltv autoextend status --watch',
    role: 'viewer',
    args: { disk },
    options: {},
    gives: 'list',
    result: statusFields,
  }),
  'autoextend plan': verb({
    about: 'what would be done about each thin disk now, without doing it',
    example: 'sltv autoextend plan web01-logs',
    role: 'viewer',
    args: { disk },
    options: {},
    gives: 'list',
    result: planFields,
  }),
  'autoextend set': verb({
    about: 'how one disk grows, kept with its volume',
    example: 'sltv autoextend set web01-logs --step 20G',
    role: 'operator',
    args: { disk: { type: 'text', about: 'NAME or POOL/NAME' } },
    options: {
      step: { type: 'size', about: 'what it grows by, instead of what the policy says', optional: true },
      off: { type: 'flag', about: 'leave it alone: its guest stops when it is full' },
      reset: { type: 'flag', about: 'as all others again' },
    },
    gives: 'item',
    result: {
      disk: { type: 'text', about: 'pool and name' },
      isOn: { type: 'flag', about: 'whether it is kept ahead of its guest' },
      step: { type: 'size', about: 'what it grows by; not there: as the policy says', optional: true },
    },
  }),
} as const;

export default definePlugin({
  name: 'autoextend',
  api: 1,
  options: AutoextendOptions,
  errors: fail,
  requires: { disks: Disks, storages: Storage, hypervisor: Hypervisor },
  provides: { facts: DiskFacts, metrics: MetricSources },
  verbs,
  setup({ options: { policy, poll, events }, use: { disks, storages, hypervisor }, log, signal, on, emit, defer }) {
    const now = () => performance.now();
    const standIn = ahead();
    const shortages = createShortages(log, emit);
    const again = createAgain({ work: () => void attend(), longest: Math.min(poll, LONGEST_WAIT), life: signal, now });
    const keeper = createKeeper({
      ...{ disks, storages, hypervisor, shortages, log, emit, again, now, policy, standIn },
      arms: events,
      life: signal,
    });
    const rescue = createRescue({ keeper, hypervisor, log, emit, again, life: signal, now });
    const attend = async () => {
      await keeper.look();
      await rescue();
    };

    const timer = setInterval(() => void attend(), poll);
    defer(() => clearInterval(timer));
    void attend();
    if (events) {
      void listen(hypervisor.events(signal), keeper, attend).catch((error: unknown) => {
        if (!signal.aborted) log.error('the hypervisor tells no events; disks grow at looks only', { poll, error });
      });
    }
    on(PoolGrown, attend);
    on(DiskResized, attend);
    on(DiskAdopted, attend);
    on(DiskExtended, async ({ automatic }) => {
      if (!automatic) await attend();
    });

    const thinDisk = async (name: string, call: Call) => {
      const found = await disks.show({ name }, call);
      if (found.mode === 'thin') return found;
      throw fail('thick', `${name} is thick: all of its space is there already`, { hint: 'sltv disk extend grows it' });
    };
    const chosen = async (name: string | undefined, call: Call) => {
      if (name === undefined) return keeper.guarded();
      const { id } = await thinDisk(name, call);
      const found = keeper.guarded().filter((guarded) => guarded.disk.id === id);
      if (found.length > 0) return found;
      throw fail('idle', `${name} is in no running VM: nothing fills it`, { hint: `sltv disk show ${name}` });
    };
    return {
      provides: {
        facts: {
          fields: factFields,
          of({ id }) {
            const guarded = keeper.guarded().find((each) => each.disk.id === id);
            return guarded && factsOf(guarded, now());
          },
        },
        metrics: { name: 'autoextend', collect: () => metricsOf(keeper.guarded(), now()) },
      },
      verbs: {
        'autoextend status': async ({ disk }, call) =>
          (await chosen(disk, call)).map((guarded) => statusOf(guarded, now())),
        'autoextend plan': async ({ disk }, call) =>
          (await chosen(disk, call)).map((guarded) =>
            planOf(guarded, keeper.plan(guarded), settingsOf(guarded.disk).isOff),
          ),
        'autoextend set': async ({ disk, step, off = false, reset = false }, call) => {
          const hint = verbs['autoextend set'].example;
          if ([step !== undefined, off, reset].filter(Boolean).length !== 1) {
            throw fail('one-setting', 'say one of --step, --off and --reset', { hint });
          }
          if (step === 0n) throw fail('bad-step', 'a disk grows by more than 0', { hint });
          await thinDisk(disk, call);
          const kept = await disks.keep({ name: disk, settings: notesFor({ isOff: off, step }) }, call);
          void attend();
          const settings = settingsOf(kept);
          return { disk: `${kept.pool}/${kept.name}`, isOn: !settings.isOff, step: settings.step };
        },
      },
    };
  },
});

/** Milliseconds to the next try while something goes on failing, however seldom all guests are looked at otherwise. */
const LONGEST_WAIT = 15_000;

/** A crossing is answered at once; after all that may change which guest has which disk, everything is looked at. */
async function listen(
  events: AsyncIterable<HypervisorEvent>,
  keeper: Keeper,
  attend: () => Promise<void>,
): Promise<void> {
  for await (const event of events) {
    if (event.type === 'threshold') void keeper.crossed(event);
    else if (event.type !== 'vm' || (event.change !== 'defined' && event.change !== 'undefined')) void attend();
  }
}
