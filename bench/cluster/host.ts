// node bench/cluster/host.ts SETTINGS: one simulated host of a cluster, a process with the real plugins. Does what its parent
// asks, and ends with it.
import type { Place } from '../../core/capabilities/cluster.ts';
import type { Writer } from '../../core/capabilities/storage.ts';
import { newNotes } from '../../core/disks/entry.ts';
import { type DaemonOptions, startDaemon } from '../../test/storm/daemon.ts';

export interface Asked {
  readonly id: number;
  readonly ask: Ask;
}

export type Ask =
  /** So many volumes, a turn of the pool's each; `lanes` at a time. */
  | { readonly what: 'create'; readonly names: readonly string[]; readonly lanes: number }
  /** All volumes, in one turn. */
  | { readonly what: 'clear' }
  /** Volumes one after another, in one turn that never ends. */
  | { readonly what: 'hold'; readonly prefix: string }
  | { readonly what: 'declare over'; readonly place: Place };

/** `id` 0: it is up. */
export interface Told {
  readonly id: number;
  readonly error?: string | undefined;
}

process.on('disconnect', () => process.exit(0));
// Written by hosts.ts.
const options = JSON.parse(process.argv[2] ?? '') as DaemonOptions;
const me = { node: options.node.id, boot: options.node.bootId };
const { pool, cluster } = await startDaemon(options, (line) => console.log(line));
const signal = new AbortController().signal;
const { extent } = await pool.facts(signal);
process.on('message', (asked: Asked) => void answer(asked));
tell({ id: 0 });

async function answer({ id, ask }: Asked): Promise<void> {
  try {
    await act(ask);
    tell({ id });
  } catch (error) {
    tell({ id, error: String(error) });
  }
}

function tell(told: Told): void {
  process.send?.(told);
}

async function act(ask: Ask): Promise<void> {
  switch (ask.what) {
    case 'create': {
      const left = [...ask.names];
      await Promise.all(Array.from({ length: ask.lanes }, () => createAll(left)));
      return;
    }
    case 'clear':
      return pool.change({ signal }, async (writer) => {
        for (const { name } of await writer.volumes()) await writer.remove(name);
      });
    case 'hold':
      return pool.change({ signal }, async (writer) => {
        for (let n = 0; ; n += 1) await create(writer, `${ask.prefix}-${n}`);
      });
    case 'declare over':
      return cluster?.declareOver(ask.place, 'its power was cut', signal);
  }
}

async function createAll(left: string[]): Promise<void> {
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    const wanted = name;
    await pool.change({ signal }, (writer) => create(writer, wanted));
  }
}

async function create(writer: Writer, name: string): Promise<void> {
  const { on, ...notes } = newNotes({ id: crypto.randomUUID(), format: 'raw', virtualSize: extent }, me);
  await writer.create({ name, size: extent, notes, format: 'raw', active: false });
}
