// Keeps disks at rest while the daemon runs: after every event that may have ended a wait, when somebody says so, and once a minute.
import type { HypervisorEvent } from '../capabilities/hypervisor.ts';
import { asSltvError } from '../errors.ts';
import { flushLateNotes, OVERDUE } from './late-notes.ts';
import { reconcile } from './reconcile.ts';
import type { World } from './world.ts';

/** Milliseconds between two looks without any event. */
const INTERVAL = 60_000;

/** Milliseconds between two looks for facts that are overdue: with what makes them so, a minute. */
const LATE = 15_000;

/** Runs until the daemon stops; never throws. */
export async function watch(world: World, wake: Bell): Promise<void> {
  const timers = [setInterval(wake.ring, INTERVAL), setInterval(() => void flushLateNotes(world, OVERDUE), LATE)];
  world.life.addEventListener('abort', () => {
    timers.forEach(clearInterval);
    wake.ring();
  });
  void listen(world, wake.ring);
  while (!world.life.aborted) {
    await wake.rung();
    if (world.life.aborted) return;
    await reconcile(world).catch((error) => world.log.warn('reconciling failed', { error: asSltvError(error) }));
  }
}

async function listen(world: World, ring: () => void): Promise<void> {
  try {
    for await (const event of world.hypervisor?.events(world.life) ?? []) if (mayEndAWait(event)) ring();
  } catch (error) {
    if (!world.life.aborted)
      world.log.warn('the hypervisor tells no events; looking once a minute', { error: asSltvError(error) });
  }
}

function mayEndAWait(event: HypervisorEvent): boolean {
  if (event.type === 'vm')
    return event.change === 'stopped' || event.change === 'started' || event.change === 'undefined';
  return event.type === 'connected' || event.type === 'device-removed' || event.type === 'device-added';
}

export interface Bell {
  ring(): void;
  /** Resolves when it has been rung since the last time. */
  rung(): Promise<void>;
}

/** Rings once however often it is rung before it is heard. */
export function createBell(): Bell {
  let rings = Promise.withResolvers<void>();
  return {
    ring: () => rings.resolve(),
    async rung() {
      await rings.promise;
      rings = Promise.withResolvers<void>();
    },
  };
}
