// A new thick disk whose ends can't be cleared of what an earlier tenant left there.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CreateRequest } from '../../../core/capabilities/disks.ts';
import type { Storage } from '../../../core/capabilities/storage.ts';
import { disksOf } from '../../../core/disks/index.ts';
import type { World } from '../../../core/disks/world.ts';
import { MiB } from '../../../core/units.ts';
import { call, failure, type House, makeHouse } from './house.ts';

const test = suite('clearing a new disk');
const inHouse = (title: string, work: (house: House) => Promise<void>) =>
  test(title, async () => {
    await using house = await makeHouse();
    await work(house);
  });

const REQUEST: CreateRequest = { name: 'data', mode: 'thick', size: 4n * MiB };

/** The same storage, on whose new volumes nothing can be written. */
function withFullDevices(storage: Storage): Storage {
  return {
    ...storage,
    pools: async (signal) =>
      (await storage.pools(signal)).map((pool) => ({
        ...pool,
        change: (turn, work) =>
          pool.change(turn, (writer) =>
            work({ ...writer, create: async (wanted) => ({ ...(await writer.create(wanted)), path: '/dev/full' }) }),
          ),
      })),
  };
}

const onFullDevices = (world: World) => disksOf({ ...world, storages: world.storages.map(withFullDevices) });
const pathIn = (house: House) => join(house.pools.directory, 'dev/mem/data');
/** Its first bytes, as they lie there while it is not active. */
const beginningIn = async (house: House) =>
  (await readFile(join(house.pools.directory, 'data/+dev+mem+data'))).toString('latin1', 0, 5);

/** A failed creation that could not be taken back either, with an earlier tenant's bytes on it. */
async function leaveUncleared(house: House): Promise<void> {
  house.pools.held.add(pathIn(house));
  const error = await failure(onFullDevices(house.daemon().world).create(REQUEST, call('r1')));
  assert.match(error.message, 'ENOSPC', 'the reason, not what came of it');
  await writeFile(pathIn(house), 'LABEL', { flag: 'r+' });
  house.pools.held.clear();
}

inHouse('a thick disk that could not be cleared is taken back, and the same request may be repeated', async (house) => {
  const { disks, world, events } = house.daemon();
  const error = await failure(onFullDevices(world).create(REQUEST, call('r1')));
  assert.match(error.message, 'ENOSPC');
  assert.equal(await disks.list({}, call()), []);
  assert.equal(house.pools.commits, ['create mem/data', 'remove mem/data']);
  assert.is(house.pools.active.size, 0);
  assert.equal(events, []);
  assert.is((await disks.create(REQUEST, call('r1'))).state, 'ready');
});

inHouse(
  'a thick disk that could neither be cleared nor taken back is cleared when the request is repeated',
  async (house) => {
    await leaveUncleared(house);
    assert.is((await house.daemon().disks.create(REQUEST, call('r1'))).state, 'ready');
    assert.is(await beginningIn(house), '\0\0\0\0\0');
    assert.is(house.pools.active.size, 0);
    assert.equal(house.pools.commits, ['create mem/data']);
  },
);

inHouse(
  'a thick disk that could neither be cleared nor taken back is cleared at the next start, once',
  async (house) => {
    await leaveUncleared(house);
    await house.daemon().start();
    assert.is(await beginningIn(house), '\0\0\0\0\0');
    assert.is(house.pools.active.size, 0);
    const { disks, start } = house.daemon();
    await disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call());
    await writeFile(pathIn(house), 'BYTES', { flag: 'r+' });
    await start();
    assert.is((await disks.create(REQUEST, call('r1'))).state, 'owned');
    assert.is(await beginningIn(house), 'BYTES');
  },
);

inHouse('a start that can not clear a disk leaves that to the next', async (house) => {
  await leaveUncleared(house);
  house.pools.held.add(pathIn(house));
  await house.daemon().start();
  await writeFile(pathIn(house), 'LABEL', { flag: 'r+' });
  house.pools.held.clear();
  await house.daemon().start();
  assert.is(await beginningIn(house), '\0\0\0\0\0');
});

inHouse('a disk that somebody has used since is not cleared any more', async (house) => {
  await leaveUncleared(house);
  const { disks, start } = house.daemon();
  await disks.attach({ disk: 'data', vm: 'web', readOnly: false }, call());
  await writeFile(pathIn(house), 'BYTES', { flag: 'r+' });
  await disks.detach({ disk: 'data', vm: 'web' }, call());
  await start();
  assert.is((await disks.create(REQUEST, call('r1'))).state, 'ready');
  assert.is(await beginningIn(house), 'BYTES');
});

test.run();
