// Volumes that sltv did not make: found as users name them, and asked after on the nodes that see them, too.
import { isAt, type Pool, type Volume } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';
import { askPatiently, backOrFenced } from './claim.ts';
import { VolumeUnused } from './questions.ts';
import { allPools, findPool, type World } from './world.ts';

/** The volume that is meant: by `pool/name`, by a name that one pool has, or by a path. Errors: `core/disk-missing`, `core/disk-ambiguous`. */
export async function findVolume(
  world: World,
  typed: string,
  poolName: string | undefined,
  signal: AbortSignal,
): Promise<{ pool: Pool; name: string }> {
  const [, first, rest] = /^([^/]+)\/(.+)$/.exec(typed) ?? [];
  if (first !== undefined && rest !== undefined && poolName !== undefined && first !== poolName) {
    throw coreErrors('input', `${typed} is in pool ${first}, and --pool says ${poolName}`, {
      hint: 'leave --pool out',
    });
  }
  const wanted = first ?? poolName;
  const pools = wanted === undefined ? await allPools(world, signal) : [await findPool(world, wanted, signal)];
  const bare = rest ?? typed;
  const isMeant = (volume: Volume) => (typed.startsWith('/') ? isAt(volume, typed) : volume.name === bare);
  const found = await Promise.all(
    pools.map(async (pool) => (await pool.volumes(signal)).filter(isMeant).map(({ name }) => ({ pool, name }))),
  );
  const [only, ...more] = found.flat();
  if (!only)
    throw wanted !== undefined && pools[0] && !typed.startsWith('/')
      ? missing(pools[0], bare)
      : missingAnywhere(typed, pools);
  if (more.length === 0) return only;
  const candidates = [only, ...more].map(({ pool, name }) => `${pool.name}/${name}`).join(', ');
  throw coreErrors('disk-ambiguous', `several pools have a volume ${bare}: ${candidates}`, {
    hint: 'name it as POOL/VOLUME',
  });
}

/** What a pool keeps for itself, such as a mirror's leg, it does not list: then it says so. */
export function missing(pool: Pool, name: string) {
  const objection = pool.objectsTo?.(name);
  return coreErrors('disk-missing', `there is no volume ${pool.name}/${name}${objection ? `: ${objection}` : ''}`, {
    hint: pool.kind === 'lvm' ? `lvs ${pool.name} lists those that are there` : `sltv pool show ${pool.name}`,
  });
}

function missingAnywhere(typed: string, pools: readonly Pool[]) {
  const isName = !typed.startsWith('/');
  const objection = isName
    ? pools.map((pool) => pool.objectsTo?.(typed)).find((each) => each !== undefined)
    : undefined;
  const why = objection === undefined ? '' : `: ${objection}`;
  return coreErrors('disk-missing', `no pool of this host has a volume ${typed}${why}`, {
    hint: 'sltv pool list; a volume group becomes a pool when the config names it: lvm({ vgs: […] })',
  });
}

/** Where hosts share the pool: nobody else has it active, or in a VM. Errors: `core/disk-elsewhere`. */
export async function mustBeUnusedElsewhere(
  world: World,
  pool: Pool,
  volume: Volume,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, node } = world;
  if (!cluster || !(await pool.facts(signal)).isShared) return;
  const name = `${pool.name}/${volume.name}`;
  const members = (await cluster.members(signal)).filter((member) => member.node !== node.id && !member.isOver);
  await Promise.all(
    members.map(async (member) => {
      const asked = { pool: pool.id, name: volume.name };
      const silence = (cause: unknown) =>
        coreErrors('disk-elsewhere', `node ${member.node} may use ${name}, and does not answer`, {
          hint: backOrFenced(member.node),
          cause,
        });
      const { because } = await askPatiently(cluster, member.node, VolumeUnused, asked, { signal, silence });
      if (because === '') return;
      throw coreErrors('disk-elsewhere', `node ${member.node} uses ${name}: ${because}`, {
        hint: `run this on ${member.node}`,
      });
    }),
  );
}
