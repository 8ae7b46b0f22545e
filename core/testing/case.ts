// A case of a conformance suite: a fact about a provider, and how to find out. It depends on no test runner.
import assert from 'node:assert/strict';
import { asSltvError, type Kind, type SltvError } from '../errors.ts';

export interface Case {
  /** The provider's name, and a fact. */
  readonly title: string;
  /** Rejects when it isn't so, or isn't found to be so in time. */
  run(): Promise<void>;
}

/** How a suite comes by what it tests. */
export interface Subject<T extends AsyncDisposable> {
  /** What every title begins with. */
  readonly name: string;
  /** Makes a fresh one for each case; disposed of at its end. */
  make(): Promise<T>;
  /** Milliseconds that one case may take, making included. Default: a minute. */
  readonly patience?: number;
}

export type Check<T> = (made: T) => Promise<void>;

/** The cases of these checks, in their order. */
export function casesOf<T extends AsyncDisposable>(
  subject: Subject<T>,
  checks: Readonly<Record<string, Check<T>>>,
): readonly Case[] {
  return Object.entries(checks).map(([fact, check]) => ({
    title: `${subject.name}: ${fact}`,
    run: () => endsWithin(subject.patience ?? 60_000, () => runOn(subject, check)),
  }));
}

/** Holds that the promise rejects with this kind and a sentence; answers with the error. */
export async function rejects(kind: Kind, promise: Promise<unknown>): Promise<SltvError> {
  const error = await promise.then(
    (value) => assert.fail(`expected an error of kind ${kind}, and it succeeded with ${describe(value)}`),
    (thrown: unknown) => asSltvError(thrown),
  );
  assert.equal(error.kind, kind, `expected an error of kind ${kind}, not ${error.kind}: ${error.message}`);
  assert.match(error.message, /\S \S/, 'an error says in a sentence what is wrong');
  return error;
}

/** A signal that never fires. */
export const never: AbortSignal = new AbortController().signal;

async function runOn<T extends AsyncDisposable>(subject: Subject<T>, check: Check<T>): Promise<void> {
  await using made = await subject.make();
  await check(made);
}

async function endsWithin(milliseconds: number, work: () => Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new assert.AssertionError({ message: `it did not end within ${milliseconds} ms` })),
    milliseconds,
  );
  try {
    await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const describe = (value: unknown): string =>
  JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? 'nothing';
