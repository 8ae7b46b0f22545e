// What the nodes' daemons ask each other about disks. Sizes are bytes, in decimal.
import * as v from 'valibot';
import { question } from '../capabilities/cluster.ts';

/** Ids become names of files. */
const Id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{1,64}$/));
/** A disk as every node knows it: its pool's id, its name there, and its own id. */
const Which = { pool: v.string(), name: v.string(), disk: Id };

/**
 * Whether this disk is not active there, and stays so until `disk.settled` was heard, for as long as promises last.
 * `isBusy`: it may be soon.
 */
export const DiskInactive = question(
  'disk.inactive',
  v.object({ ...Which, claim: Id }),
  v.object({ isInactive: v.boolean(), isBusy: v.boolean(), because: v.string() }),
);

/** What a promise was asked for is done, or given up: no commit rests on it any more. */
export const DiskSettled = question('disk.settled', v.object({ disk: Id, claim: Id }), v.object({}));

/** A disk has another size: the node that has it active brings its device and its guest up to it. */
export const DiskRefresh = question('disk.refresh', v.object(Which), v.object({}));

/** Operations of the node where the disk's VM is. `requestId` makes a repetition harmless. */
export const DiskDetach = question(
  'disk.detach',
  v.object({ ...Which, vm: v.string(), requestId: v.string() }),
  v.object({}),
);
export const DiskResize = question(
  'disk.resize',
  v.object({ ...Which, virtualSize: v.string(), requestId: v.string() }),
  v.object({}),
);

/** Why a volume that is no disk of sltv's is in use there, as a sentence; empty when it is not. */
export const VolumeUnused = question(
  'volume.unused',
  v.object({ pool: v.string(), name: v.string() }),
  v.object({ because: v.string() }),
);

/** Gives back every disk that it may have active and no VM has; what is left then, as sentences. */
export const DisksGiveBack = question('disk.give-back', v.object({}), v.object({ left: v.array(v.string()) }));
