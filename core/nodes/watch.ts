// Keeps what nodes know of each other true while the daemon runs.
import { asSltvError } from '../errors.ts';
import { tendFences } from './fences.ts';
import { faceOwnFence } from './outlived.ts';
import { tellSights } from './sights.ts';
import type { NodesWorld } from './world.ts';

/** Milliseconds between two rounds: how long a guest may outlive the fence of its node. */
const INTERVAL = 15_000;

/** Begins at once, and goes on until the daemon stops; never throws. `look` has it done out of turn. */
export function watch(world: NodesWorld): { readonly look: () => Promise<void> } {
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    await round(world);
    isLooking = false;
  };
  const timer = setInterval(look, INTERVAL);
  world.life.addEventListener('abort', () => clearInterval(timer), { once: true });
  void look();
  return { look };
}

/** Each apart: one that the cluster keeps waiting says nothing about the others. */
export async function round(world: NodesWorld): Promise<void> {
  for (const [what, tend] of Object.entries({ faceOwnFence, tellSights, tendFences })) {
    try {
      await tend(world);
    } catch (error) {
      const known = asSltvError(error);
      if (world.life.aborted) return;
      world.log[known.kind === 'unavailable' ? 'debug' : 'warn']('nodes could not be looked after', {
        what,
        error: known,
      });
    }
  }
}
