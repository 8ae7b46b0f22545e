// What plugins hand each other: typed values, declared once, imported by both sides.

declare const TYPE: unique symbol;

/** `one` has exactly one provider in a daemon, `many` any number in the order of the config. */
export interface Capability<T, Arity extends 'one' | 'many' = 'one' | 'many'> {
  readonly id: string;
  readonly arity: Arity;
  readonly [TYPE]?: T;
}

/** Declares a capability that exactly one plugin provides. */
export const one = <T>(id: string): Capability<T, 'one'> => ({ id, arity: 'one' });
/** Declares a capability that any number of plugins provide. */
export const many = <T>(id: string): Capability<T, 'many'> => ({ id, arity: 'many' });

/** Something that happened. Observers can't change it, and their failures harm nobody. */
export interface Event<T> {
  readonly id: string;
  readonly gate: false;
  /** How people are told of it; undefined for what only plugins should hear of. */
  readonly show: ((what: T) => Shown) | undefined;
  readonly [TYPE]?: T;
}
/** Something that is about to be done, before any lock: whoever is asked may refuse. */
export interface Gate<T> {
  readonly id: string;
  readonly gate: true;
  readonly [TYPE]?: T;
}
/** Why a gate stays shut. */
export interface Refusal {
  readonly reason: string;
  readonly hint?: string;
}
/** An event as people read it, `sltv events` shows it and `sltv.v1.EventService` tells it. */
export interface Shown {
  /** What it happened to: `vg-sltv/web1`. */
  readonly subject: string;
  /** What happened, in a few words that can follow the subject. */
  readonly message: string;
  /** The same for programs. Bytes, milliseconds. */
  readonly values?: Readonly<Record<string, string | number | bigint | boolean>>;
}
/** An event that has been shown, and when. */
export interface Told extends Shown {
  /** The event's id: `disk.extended`. */
  readonly type: string;
  readonly time: Date;
}
/** Declares an event: `export const DiskExtended = event<{…}>('disk.extended')`. With `show` people are told of it, too. */
export const event = <T>(id: string, show?: (what: T) => Shown): Event<T> => ({ id, gate: false, show });
/** Any event that people are told of, whosever it is. */
export const EventTold = event<Told>('event.told');
/** Declares a gate: `export const CreateDisk = gate<{…}>('disk.create')`. */
export const gate = <T>(id: string): Gate<T> => ({ id, gate: true });

export type Capabilities = Readonly<Record<string, Capability<unknown>>>;
/** What a provider of these capabilities hands over. */
export type Provided<P extends Capabilities> = {
  readonly [K in keyof P]: P[K] extends Capability<infer T, 'one' | 'many'> ? T : never;
};
type Used<C, Missing> =
  C extends Capability<infer T, infer A> ? (A extends 'many' ? readonly T[] : T | Missing) : never;
/** What a user of these capabilities gets: `requires` is there, `accepts` may be missing. */
export type Uses<R extends Capabilities, A extends Capabilities> = { readonly [K in keyof R]: Used<R[K], never> } & {
  readonly [K in keyof A]: Used<A[K], undefined>;
};
