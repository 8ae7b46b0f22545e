// Events and gates: what plugins hear of, and what they may refuse.
import { EventEmitter } from 'eventemitter3';
import { coreErrors } from '../errors.ts';
import type { Log } from '../log.ts';
import { patiently } from '../patiently.ts';
import { type Event, EventTold, type Gate, type Refusal } from './capability.ts';
import { isRecord } from './definition.ts';
import { shown } from './verb-result.ts';

type See = (what: unknown) => void | Promise<void>;
type Judge = (what: unknown, signal: AbortSignal) => Refusal | undefined | Promise<Refusal | undefined>;

export interface Bus {
  /** Lets `owner` see every such event from now on. */
  on<T>(owner: string, event: Event<T>, see: (what: T) => void | Promise<void>): void;
  /** Tells all observers, each apart, after the caller's present step; never throws. */
  emit<T>(event: Event<T>, what: T): void;
  /** Puts `owner` at the end of those who are asked at this gate. */
  before<T>(
    owner: string,
    gate: Gate<T>,
    judge: (what: T, signal: AbortSignal) => Refusal | undefined | Promise<Refusal | undefined>,
  ): void;
  /** Asks them in order. Errors: `core/gate-refused`, or the reason of `signal` when the caller no longer waits. */
  ask<T>(gate: Gate<T>, what: T, signal: AbortSignal): Promise<void>;
}

/** How long one plugin may take at a gate, milliseconds: a creation is an interactive command. */
const GATE_TIMEOUT = 5_000;

export function createBus(log: Log, gateTimeout = GATE_TIMEOUT): Bus {
  const events = new EventEmitter<string>();
  const guards = new Map<string, { readonly owner: string; readonly judge: Judge }[]>();
  return {
    on(owner, event, see) {
      // An event's id and its type are declared together, so what is emitted under this id is what `see` takes.
      const observer = see as See;
      // eventemitter3 stops at a listener that throws, and a rejection would end the daemon: so each starts by itself.
      events.on(event.id, (what: unknown) => {
        Promise.resolve(what)
          .then(observer)
          .catch((error: unknown) =>
            log.error(`plugin ${owner} failed to observe ${event.id}`, { plugin: owner, error }),
          );
      });
    },
    emit(event, what) {
      events.emit(event.id, what);
      if (!event.show) return;
      try {
        events.emit(EventTold.id, { type: event.id, time: new Date(), ...event.show(what) });
      } catch (error) {
        log.error(`${event.id} could not be shown`, { error });
      }
    },
    before(owner, gate, judge) {
      // As for events: one declaration gives the id its type.
      guards.set(gate.id, [...(guards.get(gate.id) ?? []), { owner, judge: judge as Judge }]);
    },
    async ask(gate, what, signal) {
      for (const { owner, judge } of guards.get(gate.id) ?? []) {
        const refusal = await answerOf(judge, what, signal, gateTimeout);
        if (refusal === undefined) continue;
        const message = `plugin ${owner} refuses ${gate.id}: ${refusal.reason}`;
        throw coreErrors('gate-refused', message, { hint: refusal.hint, cause: refusal.cause });
      }
    },
  };
}

interface Refused extends Refusal {
  readonly cause?: unknown;
}

/** What one judge says; silence and failure count as refusals, since a gate that fails open guards nothing. */
async function answerOf(
  judge: Judge,
  what: unknown,
  signal: AbortSignal,
  timeout: number,
): Promise<Refused | undefined> {
  signal.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeout);
  const either = AbortSignal.any([signal, deadline.signal]);
  try {
    return refusalIn(await patiently(judgement(judge, what, either), [either]));
  } catch (cause) {
    signal.throwIfAborted();
    if (deadline.signal.aborted) return faulty(`it gave no answer within ${timeout / 1000} s`);
    return faulty(`it failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  } finally {
    clearTimeout(timer);
  }
}

async function judgement(judge: Judge, what: unknown, signal: AbortSignal): Promise<unknown> {
  return await judge(what, signal);
}

/** From plain JavaScript anything may come; what is no refusal is no permission either. */
function refusalIn(answer: unknown): Refused | undefined {
  if (answer === undefined || answer === null) return undefined;
  const { reason, hint } = isRecord(answer) ? answer : {};
  if (typeof reason !== 'string') return faulty(`it answered ${shown(answer)}, which is no refusal: { reason: '…' }`);
  return typeof hint === 'string' ? { reason, hint } : { reason };
}

/** A refusal by who could not judge. */
const faulty = (reason: string, cause?: unknown): Refused => ({
  reason,
  hint: 'mend that plugin, whose errors stand in journalctl -u sltv, or take it out of the config',
  cause,
});
