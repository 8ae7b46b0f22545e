// Guests that stand still because a disk of theirs is full: given room, and let run on.
import { type DiskError, DiskPaused, DiskResumed, type Hypervisor } from 'sltv';
import { coalesce } from './coalesce.ts';
import { type Guarded, letGo } from './guarded.ts';
import type { Keeper } from './keeper.ts';
import type { Means } from './means.ts';

export interface Rescuing extends Pick<Means, 'log' | 'emit' | 'again' | 'life' | 'now'> {
  readonly keeper: Pick<Keeper, 'guarded' | 'makeRoom'>;
  readonly hypervisor: Pick<Hypervisor, 'errors' | 'resume'>;
}

/** One VM's standstill. */
interface Standstill {
  readonly since: number;
  isTold: boolean;
  /** How often it was let go without coming any further. */
  tries: number;
  /** What its full disks were like when it was let go last. */
  left: ReadonlyMap<string, Pick<Guarded, 'fill' | 'physical'>>;
  /** What was said last about why it stays. */
  said: string | undefined;
}

/** Attends to every VM that stood still at the keeper's last look. Never throws; no VM waits for another. */
export function createRescue({ keeper, hypervisor, log, emit, again, life, now }: Rescuing): () => Promise<void> {
  const standstills = new Map<string, Standstill>();
  const workers = new Map<string, () => Promise<void>>();

  async function attend(vm: string): Promise<void> {
    const mine = keeper.guarded().filter((guarded) => guarded.vm === vm);
    try {
      if (mine.some(({ stopped }) => stopped === 'io-error')) await free(vm, mine);
      else forget(vm, mine);
    } catch (error) {
      if (life.aborted) return;
      log.warn('a VM that stands still could not be helped; it is tried again', { vm, error });
      again();
    }
  }

  /** A VM that runs and writes, or that somebody else let go, is over it; one that we have only just let go may be back. */
  function forget(vm: string, mine: readonly Guarded[]): void {
    const standstill = standstills.get(vm);
    if (standstill === undefined) return;
    const isOver = mine.length === 0 || standstill.tries === 0 || cameFurther(standstill, mine);
    if (isOver) standstills.delete(vm);
  }

  async function free(vm: string, mine: readonly Guarded[]): Promise<void> {
    const last = standstills.get(vm);
    const standstill = last === undefined || cameFurther(last, mine) ? begun(now()) : last;
    standstills.set(vm, standstill);
    const errors = await hypervisor.errors(vm, life);
    const refusal = whyNot(errors, mine);
    if (refusal !== undefined) return say(standstill, vm, refusal);
    const full = mine.filter(({ target }) => errors.some((error) => error.target === target));
    if (!standstill.isTold) {
      standstill.isTold = true;
      log.warn('a guest stands still because its disk is full', { vm, disks: full.map(({ disk }) => disk.name) });
      for (const { disk, target } of full) emit(DiskPaused, { disk, vm, target });
    }
    if (grewSince(standstill, full)) {
      standstill.tries = 0;
      standstill.said = undefined;
    }
    if (standstill.tries >= TRIES) return say(standstill, vm, `let go ${TRIES} times, it came no further`);
    const served = await Promise.all(full.map((guarded) => keeper.makeRoom(guarded, standstill.tries > 0)));
    if (!served.every(Boolean)) return;
    standstill.tries += 1;
    standstill.left = new Map(full.map(({ target, fill, physical }) => [target, { fill, physical }]));
    // Before it runs: it may stand still again before anybody knows that it ran.
    for (const guarded of mine) letGo(guarded, now());
    await hypervisor.resume(vm, life);
    const milliseconds = now() - standstill.since;
    log.info('a guest that stood still runs again', { vm, milliseconds: Math.round(milliseconds) });
    for (const { disk, target } of full) emit(DiskResumed, { disk, vm, target, milliseconds });
  }

  /** Once as long as it holds. */
  function say(standstill: Standstill, vm: string, because: string): void {
    if (standstill.said === because) return;
    standstill.said = because;
    const hint = 'see to its disks, then resume it by hand';
    log.error('a guest stands still and is left so', { vm, because, hint });
  }

  return async () => {
    const stopped = keeper.guarded().filter(({ stopped }) => stopped === 'io-error');
    const vms = new Set([...standstills.keys(), ...stopped.map(({ vm }) => vm)]);
    await Promise.all(
      [...vms].map((vm) => {
        const worker = workers.get(vm) ?? coalesce(() => attend(vm));
        workers.set(vm, worker);
        return worker();
      }),
    );
  };
}

const TRIES = 3;

/** Says why this VM must not be let go: only a full disk of ours is ours to mend. */
function whyNot(errors: readonly DiskError[], mine: readonly Guarded[]): string | undefined {
  if (errors.length === 0) return 'the hypervisor says that none of its disks has failed';
  const other = errors.find(({ reason }) => reason !== 'no-space');
  if (other) return `${other.target} has failed for another reason than want of space`;
  const stranger = errors.find(({ target }) => !mine.some((guarded) => guarded.target === target));
  return stranger && `${stranger.target} is full, and is no thin disk of a pool`;
}

const begun = (since: number): Standstill => ({
  since,
  isTold: false,
  tries: 0,
  left: new Map(),
  said: undefined,
});

const cameFurther = ({ left }: Standstill, disks: readonly Guarded[]): boolean =>
  disks.some(({ target, fill }) => fill > (left.get(target)?.fill ?? fill));

/** By another hand than ours. */
const grewSince = ({ left }: Standstill, disks: readonly Guarded[]): boolean =>
  disks.some(({ target, physical }) => physical > (left.get(target)?.physical ?? physical));
