// One target's events, told one after another, each until it is heard or given up.
import type { Log, Told } from 'sltv';

export interface Messenger {
  /** Puts an event behind those that wait. Never throws, and nobody waits for it. */
  tell(told: Told): void;
}

export interface Patience {
  /** How often it is tried. */
  readonly tries: number;
  /** How many may wait. */
  readonly backlog: number;
}

/** Milliseconds before the second try, and the longest pause before a later one. */
const PAUSES = { initialDelay: 1_000, maxDelay: 60_000 };

/** `send` tells one event, or throws. */
export async function createMessenger(
  send: (told: Told, signal: AbortSignal) => Promise<void>,
  { tries, backlog }: Patience,
  {
    log,
    signal,
    pauses = PAUSES,
  }: { readonly log: Log; readonly signal: AbortSignal; readonly pauses?: typeof PAUSES },
): Promise<Messenger> {
  const { ExponentialBackoff, handleAll, retry } = await import('cockatiel');
  const policy = retry(handleAll, { maxAttempts: tries - 1, backoff: new ExponentialBackoff(pauses) });
  const waiting: Told[] = [];
  let isBusy = false;
  let lost = 0;

  async function work(): Promise<void> {
    isBusy = true;
    for (let told = waiting.shift(); told !== undefined && !signal.aborted; told = waiting.shift()) {
      const event = told;
      try {
        await policy.execute(() => send(event, signal), signal);
      } catch (error) {
        if (!signal.aborted)
          log.warn('an event could not be told', { event: event.type, subject: event.subject, error });
      }
      if (lost > 0 && waiting.length < backlog) {
        log.warn('events were lost, since too many waited to be told', { lost });
        lost = 0;
      }
    }
    isBusy = false;
  }

  return {
    tell(told) {
      if (waiting.length >= backlog) lost += 1;
      else waiting.push(told);
      if (!isBusy) void work();
    },
  };
}
