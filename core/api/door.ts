// A listener that is open: what every kind of them can do.
import { coreErrors } from '../errors.ts';
import type { Limits } from '../kernel/config.ts';
import type { Call } from '../kernel/verb.ts';
import type { Log } from '../log.ts';
import type { Arrivals } from './arrivals.ts';
import type { Front } from './front.ts';
import type { Load } from './load.ts';
import type { Request, Response } from './routes.ts';

export type Caller = Call['caller'];

/** What doors open to. */
export interface House {
  readonly answer: (request: Request, response: Response, caller: Caller) => void;
  readonly limits: Limits;
  /** The calls that all doors together have in hand. */
  readonly load: Load;
  readonly log: Log;
}

export interface Door {
  /** Takes the address away, so that a daemon that starts now can have it. */
  release(): Promise<void>;
  /** Takes no connection any more, and tells HTTP/2 clients so. */
  stopAccepting(): void;
  /** Resolves when every answer that has begun is written. */
  written(): Promise<void>;
  /** Ends what is left. */
  destroy(): void;
  /** What whoever looks after the host should see to, in sentences. */
  remarks(): readonly string[];
}

/** How every door is closed, whatever its address was. */
export const closingOf = (front: Front, arrivals: Arrivals): Pick<Door, 'stopAccepting' | 'written' | 'destroy'> => ({
  stopAccepting() {
    arrivals.server.close();
    front.stopAccepting();
  },
  written: front.written,
  destroy() {
    front.destroy();
    arrivals.destroy();
  },
});

export const tooManyConnections = (at: string, { connections }: Limits) =>
  coreErrors('overloaded', `${at} has ${connections} connections, all of them with calls in hand, and takes no more`, {
    hint: 'try again in a moment; the option limits.connections says how many',
  });
