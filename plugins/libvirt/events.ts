// One stream of events for all who listen, begun again whenever it ends.
import { EventEmitter, on } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HypervisorEvent, Log } from 'sltv';
import { type Following, follow } from './event-stream.ts';

export interface Listening extends Omit<Following, 'signal'> {
  readonly log: Log;
  /** Fires when the daemon stops. */
  readonly life: AbortSignal;
}

/** Milliseconds from the end of a stream to the next; doubled from one to the other while nothing connects. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 10_000;

/** Events for any number of listeners; the stream is there while there is one. */
export function createEvents(listening: Listening): (signal: AbortSignal) => AsyncIterable<HypervisorEvent> {
  const bus = new EventEmitter().setMaxListeners(0);
  let listeners = 0;
  let source: Source | undefined;
  return async function* events(signal) {
    const either = AbortSignal.any([signal, listening.life]);
    if (either.aborted) return;
    // It hears from here on, also what happens before the listener asks for the next.
    const heard = on(bus, 'event', { signal: either });
    listeners += 1;
    try {
      source ??= openSource(listening, (event) => bus.emit('event', event));
      if (source.isConnected()) yield { type: 'connected' };
      // Nothing else is emitted on this bus.
      for await (const [event] of heard as AsyncIterable<[HypervisorEvent]>) yield event;
    } catch (error) {
      if (!either.aborted) throw error;
    } finally {
      listeners -= 1;
      if (listeners === 0) {
        source?.close();
        source = undefined;
      }
    }
  };
}

interface Source {
  isConnected(): boolean;
  close(): void;
}

function openSource(listening: Listening, tell: (event: HypervisorEvent) => void): Source {
  const closed = new AbortController();
  const signal = AbortSignal.any([closed.signal, listening.life]);
  let isConnected = false;
  const keepFollowing = async () => {
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      let wasConnected = false;
      const reason = await follow({ ...listening, signal }, (event) => {
        if (signal.aborted) return;
        if (event.type === 'connected') wasConnected = isConnected = true;
        tell(event);
      });
      isConnected = false;
      if (signal.aborted) return;
      if (wasConnected) pause = FIRST_PAUSE;
      // Once an outage, not once a try.
      if (pause === FIRST_PAUSE) listening.log.warn('libvirt tells no events; trying until it does', { reason });
      await sleep(pause, undefined, { signal }).catch(() => {});
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    }
  };
  void keepFollowing();
  return { isConnected: () => isConnected, close: () => closed.abort() };
}
