// What handlers answer from.
import { coreErrors } from '../../errors.ts';
import type { Booted } from '../../kernel/boot.ts';
import type { Capability } from '../../kernel/capability.ts';
import type { Log } from '../../log.ts';
import type { Node } from '../../node.ts';
import type { EventLog } from '../event-log.ts';

export interface Daemon {
  readonly booted: Pick<Booted, 'provided' | 'all' | 'verbs' | 'describe' | 'emit'>;
  readonly node: Node;
  readonly version: string;
  readonly events: EventLog;
  readonly log: Log;
  /** Bytes that one request may have. */
  readonly messageSize: number;
  /** What its listeners have to say to whoever looks after this host. */
  remarks(): readonly string[];
}

/** What a plugin provides; `does` ends the sentence for when none does. Errors: `core/no-provider`. */
export function mustHave<T>(daemon: Daemon, capability: Capability<T, 'one'>, does: string): T {
  const provided = daemon.booted.provided(capability);
  if (provided !== undefined) return provided;
  throw coreErrors('no-provider', `no plugin of this daemon ${does}`, {
    hint: 'sltv plugin list shows what it has; plugins are listed in sltv.config.ts',
  });
}
