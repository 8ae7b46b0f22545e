// Ends what was left half-way: this node's own, and that of boots that are proven to be over.
import type { Cluster } from '../../core/capabilities/cluster.ts';
import { type Entry, type Intent, readEntry } from '../../core/disks/entry.ts';
import { type Scribe, takeTurn } from './commit.ts';
import { finishResize, type Hand } from './operations.ts';

/** Errors: the pool's. Once it has resolved nothing half-made is left that this node may end. */
export async function recoverDisks(hand: Hand, act: () => string, cluster: Cluster | undefined): Promise<void> {
  for (const volume of await hand.pool.volumes(hand.signal)) {
    const intent = readEntry(volume)?.intent;
    if (!intent) continue;
    const isOurs = intent.node === hand.me.node;
    if (!isOurs && !(await cluster?.isOver(intent, hand.signal))) continue;
    await takeTurn(hand, act(), hand.signal, async (scribe) => {
      const now = await scribe.find(volume.name);
      const entry = now && readEntry(now);
      if (entry?.intent?.id === intent.id) await end(scribe, entry, entry.intent);
    });
  }
}

async function end(scribe: Scribe, entry: Entry, { operation }: Intent): Promise<void> {
  const { volume, owner } = entry;
  switch (operation) {
    case 'create':
    case 'delete':
    case 'wipe':
      return await scribe.remove(volume);
    case 'attach':
    case 'detach':
      await scribe.note(volume, { op: [], own: [], on: [] });
      return;
    case 'resize':
      return await finishResize(scribe, entry);
    case 'move':
      throw new Error(`nobody moves disks here, and ${volume.name} of ${owner?.vmName} is being moved`);
  }
}
