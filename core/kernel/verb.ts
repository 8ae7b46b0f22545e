// A verb is plain data: it crosses the wire to a client that has no config, and everything that a shell needs comes
// from it: parsing, help, completion, tables, `--json`, its page. The handler's types are inferred from it.

interface Words {
  text: string;
  size: bigint;
  count: number;
  duration: number;
  flag: boolean;
  time: Date;
}
/** `size`: bytes. `duration`: milliseconds. */
export type FieldType = keyof Words;
export const FIELD_TYPES = [
  'text',
  'size',
  'count',
  'duration',
  'flag',
  'time',
] as const satisfies readonly FieldType[];

export interface Field {
  readonly type: FieldType;
  readonly about: string;
  readonly optional?: true;
  /** Given more than once, or as several words for the last argument. */
  readonly list?: true;
  readonly choices?: readonly string[];
}
export type Fields = Readonly<Record<string, Field>>;

type Base<F> = F extends { choices: readonly (infer C)[] }
  ? C
  : F extends { type: infer T extends FieldType }
    ? Words[T]
    : never;
type ValueOf<F> = F extends { list: true } ? readonly Base<F>[] : Base<F>;
type Maybe<F extends Fields> = {
  [K in keyof F]: F[K] extends { optional: true } ? K : F[K] extends { type: 'flag' } ? K : never;
}[keyof F];
type Simplify<T> = { [K in keyof T]: T[K] } & {};
/** The values that fields declare. */
export type Values<F extends Fields> = Simplify<
  { readonly [K in Exclude<keyof F, Maybe<F>>]: ValueOf<F[K]> } & {
    readonly [K in Maybe<F>]?: ValueOf<F[K]> | undefined;
  }
>;

/** What a caller may do: look; work with disks; change pools and the daemon. Each includes the ones before it. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];
export const GIVES = ['item', 'list', 'stream', 'nothing'] as const;
export type Gives = (typeof GIVES)[number];

export interface Verb<
  A extends Fields = Fields,
  O extends Fields = Fields,
  R extends Fields = Fields,
  S extends Gives = Gives,
> {
  /** One line, lower case, without a full stop. */
  readonly about: string;
  /** One command as typed. */
  readonly example: string;
  /** The least role that may call it. */
  readonly role: Role;
  /** In the order in which they are typed. */
  readonly args: A;
  readonly options: O;
  readonly gives: S;
  readonly result: R;
}
/** Declares a verb, keeping its exact types. */
export const verb = <const A extends Fields, const O extends Fields, const R extends Fields, const S extends Gives>(
  declared: Verb<A, O, R, S>,
): Verb<A, O, R, S> => declared;

export type Input<V> = V extends Verb<infer A, infer O, Fields, Gives> ? Simplify<Values<A> & Values<O>> : never;

/** Who calls, and how long they wait. */
export interface Call {
  readonly signal: AbortSignal;
  readonly caller: { readonly name: string; readonly role: Role };
  readonly requestId: string;
  /** Tells how far long work is, to whoever follows it; say it before each wait that may be long. Costs nothing unheard. */
  readonly tell?: Tell | undefined;
}
/** How far long work is. */
export interface Progress {
  /** What is done or waited for, in a few words: `waiting for the lock of volume group vg0`. */
  readonly stage: string;
  /** Where that is known: bytes that are done, of how many. */
  readonly done?: bigint;
  readonly total?: bigint;
}
export type Tell = (progress: Progress) => void;
export type Answer<V> =
  V extends Verb<infer A, infer O, infer R, infer S>
    ? (
        input: Simplify<Values<A> & Values<O>>,
        call: Call,
      ) => S extends 'stream'
        ? AsyncIterable<Values<R>>
        : Promise<S extends 'list' ? readonly Values<R>[] : S extends 'nothing' ? void : Values<R>>
    : never;
export type Verbs = Readonly<Record<string, Verb>>;
