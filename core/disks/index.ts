// Core's own plugin: makes disks of what pools and VMs there are. daemon.ts puts it in front of the config's plugins.
import { join } from 'node:path';
import * as v from 'valibot';
import { Cluster, NodeFenced } from '../capabilities/cluster.ts';
import { Disks } from '../capabilities/disks.ts';
import { Hypervisor } from '../capabilities/hypervisor.ts';
import { MetricSources } from '../capabilities/metrics.ts';
import { Storage } from '../capabilities/storage.ts';
import { definePlugin } from '../kernel/plugin.ts';
import type { Call } from '../kernel/verb.ts';
import { adopt } from './adopt.ts';
import { createAlarms } from './alarms.ts';
import { answerOthers } from './answers.ts';
import { attach } from './attach.ts';
import { attachments } from './attachments.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { detach } from './detach.ts';
import { extend } from './extend.ts';
import { forget } from './forget.ts';
import { fullSize } from './full-size.ts';
import { grow } from './grow.ts';
import { createJournal } from './journal.ts';
import { keep } from './keep.ts';
import { createKnown } from './known.ts';
import { createLateNotes, flushDueNotesOf, flushLateNotesOf } from './late-notes.ts';
import type { Limits } from './limits.ts';
import { list } from './list.ts';
import { metricsOf } from './metrics.ts';
import { createPromises } from './promises.ts';
import { reconcileStart } from './reconcile.ts';
import { resize } from './resize.ts';
import { show } from './show.ts';
import { takePool } from './take.ts';
import { createTurns } from './turns.ts';
import { createBell, watch } from './watch.ts';
import type { World } from './world.ts';

const Options = v.strictObject({
  defaultPool: v.optional(v.string()),
  /** Bytes. */
  thinInitialSize: v.optional(v.bigint(), 10n * 1024n ** 3n),
  /** Checked by core's own options. */
  reserve: v.optional(
    v.custom<Limits['reserve']>((value) => typeof value === 'bigint' || typeof value === 'string'),
    0n,
  ),
  overcommit: v.optional(v.number()),
  /** Milliseconds. */
  detachPatience: v.optional(v.number(), 10_000),
});

export default definePlugin({
  name: 'disks',
  api: 1,
  options: Options,
  requires: { storages: Storage },
  accepts: { hypervisor: Hypervisor, cluster: Cluster },
  provides: { disks: Disks, metrics: MetricSources },
  async setup({ options, use, node, run, log, signal, on, ask, emit, defer }) {
    const world: World = {
      storages: use.storages,
      hypervisor: use.hypervisor,
      cluster: use.cluster,
      node,
      run,
      log,
      journal: createJournal(join(node.stateDir, 'requests')),
      turns: createTurns(),
      lateNotes: createLateNotes(),
      known: createKnown(),
      promises: createPromises(node),
      alarms: createAlarms(log),
      defaultPool: options.defaultPool,
      thinInitialSize: options.thinInitialSize,
      limits: { reserve: options.reserve, overcommit: options.overcommit },
      detachPatience: options.detachPatience,
      life: signal,
      ask,
      emit,
    };
    await reconcileStart(world);
    // Not before: what this node left half-done is not given away as it is.
    if (use.cluster) answerOthers(world, use.cluster);
    const bell = createBell();
    on(NodeFenced, bell.ring);
    const watching = watch(world, bell);
    defer(() => watching);
    return { provides: { disks: disksOf(world), metrics: metricsOf(world) } };
  },
});

/** The operations over one world. A request that comes again while it is in hand waits, and then finds it done. */
export function disksOf(world: World): Disks {
  const once =
    <Request, Done>(operation: (world: World, request: Request, call: Call) => Promise<Done>) =>
    (request: Request, call: Call) =>
      world.turns.take(`request ${call.requestId}`, call, () => operation(world, request, call));
  return {
    create: once(create),
    delete: once(remove),
    adopt: once(adopt),
    forget: once(forget),
    takePool: (request, call) => takePool(world, request, call),
    list: (request, call) => list(world, request, call),
    show: (request, call) => show(world, request, call),
    extend: once(extend),
    resize: once(resize),
    attach: once(attach),
    detach: once(detach),
    attachments: (request, call) => attachments(world, request, call),
    grow: (disk, wish, signal) => grow(world, disk, wish, signal),
    fullSize: (disk, signal) => fullSize(world, disk, signal),
    noteEnd({ pool, name }, end, isFinal = false) {
      world.lateNotes.set(pool, name, { end: [String(end)] });
      void (isFinal ? flushLateNotesOf : flushDueNotesOf)(world, { pool, name });
    },
    keep: (request, call) => keep(world, request, call),
    alarms: () => world.alarms.sentences(),
  };
}
