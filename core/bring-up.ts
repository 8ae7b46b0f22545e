// A config brought to life in this process: its plugins up, on this node.
import { join } from 'node:path';
import { CommandFinished } from './capabilities/disks.ts';
import type { Behalf } from './kernel/behalf.ts';
import { type Booted, boot } from './kernel/boot.ts';
import { createBus } from './kernel/bus.ts';
import type { Capability } from './kernel/capability.ts';
import type { Settled } from './kernel/settle.ts';
import type { Log } from './log.ts';
import { identifyNode, type Node } from './node.ts';
import { createRunner, type Runner } from './run.ts';

export interface BringUpOptions {
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Only the providers of these, with what they can't be without. */
  readonly only?: readonly Capability<unknown>[];
  /** Waits first until no command of an earlier daemon writes any more: whoever writes has to. */
  readonly isWriter: boolean;
  /** Knows which plugin runs. */
  readonly behalf?: Behalf;
}

export interface Alive {
  readonly booted: Booted;
  readonly node: Node;
  readonly run: Runner;
}

/** Errors: boot's, and `core/config` for a host without identity. */
export async function bringUp({ options, plugins }: Settled, by: BringUpOptions): Promise<Alive> {
  const { log, signal } = by;
  const { stateDir, runDir, nodeId } = options;
  const bus = createBus(log);
  const run = createRunner({
    lockDirectory: join(runDir, 'locks'),
    // Deno starts processes without a copy of itself.
    keepsShells: by.isWriter && process.versions.deno === undefined,
    finished: (command) => bus.emit(CommandFinished, command),
  });
  if (by.isWriter) await run.orphans(log, signal);
  const node = await identifyNode({ nodeId, stateDir, runDir });
  const { only, behalf } = by;
  const booted = await boot({ plugins, bus, node, run, log, only, signal, ...(behalf && { behalf }) });
  return { booted, node, run };
}
