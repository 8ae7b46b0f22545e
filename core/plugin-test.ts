// `sltv plugin test FILE`: the conformance suites for what one plugin provides, in this process and without a daemon.
import { AssertionError } from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { coreErrors, SltvError } from './errors.ts';
import { type Builtins, loadModules } from './kernel/builtins.ts';
import { importConfig } from './kernel/config-modules.ts';
import { type AnyDefinition, definitionOf, isRecord } from './kernel/definition.ts';
import { misfits } from './kernel/order.ts';
import type { Log } from './log.ts';
import { patiently } from './patiently.ts';
import * as testing from './testing/index.ts';
import { SUITES, suitesOf } from './testing/plugin.ts';

export interface PluginTestOptions {
  readonly file: string;
  /** Milliseconds that one case may take; undefined: as the file says, else a minute. */
  readonly patience: number | undefined;
  readonly builtins: Builtins;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface CaseResult {
  /** The provider, and a fact. */
  readonly case: string;
  readonly result: 'ok' | 'failed' | 'not run';
  readonly why: string | undefined;
}

/**
 * Runs case after case and tells of each as it ends. Of a provider that does not come up nothing else is asked. Errors: what
 * keeps a config from being loaded; `core/config` for a file that says of no plugin how it is tested.
 */
export async function* testPlugin(options: PluginTestOptions): AsyncGenerator<CaseResult, void> {
  const { builtins, log, signal, patience } = options;
  const path = resolve(options.file);
  const modules = new Map([...(await loadModules(builtins)), ['sltv/testing', testing]]);
  const { name, conformance } = readSubject(path, await importConfig(path, modules));
  const root = await mkdtemp(join(tmpdir(), 'sltv-plugin-test-'));
  // A case that was given up may be at work there until this process ends.
  const clear = () => rmSync(root, { recursive: true, force: true });
  process.once('exit', clear);
  let isCalm = true;
  using strays = collectStrays();
  try {
    for (const cases of suitesOf({ name, conformance, root, log, patience })) {
      let isUp = true;
      for (const [index, { title, run }] of cases.entries()) {
        signal.throwIfAborted();
        if (!isUp) {
          yield { case: title, result: 'not run', why: undefined };
          continue;
        }
        const failure = await failureOf(run, signal);
        const stray = await strays.take();
        const why = failure ?? stray;
        isUp = index > 0 || why === undefined;
        isCalm = isCalm && why === undefined;
        yield { case: title, result: why === undefined ? 'ok' : 'failed', why };
      }
    }
  } finally {
    if (isCalm && !signal.aborted) {
      clear();
      process.off('exit', clear);
    }
  }
}

/** Why a case failed; undefined when it did not. */
async function failureOf(run: () => Promise<void>, signal: AbortSignal): Promise<string | undefined> {
  try {
    await patiently(run(), [signal]);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `${sentence(error).trim()}${placeOf(error)}`;
  }
}

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Where in its author's files an error comes from that is neither a promise that was broken nor said in our language. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error) || error instanceof AssertionError || error instanceof SltvError) return '';
  const place = /file:\/\/[^\s)]+/.exec(error.stack ?? '')?.[0];
  return place === undefined ? '' : `\nat ${place}`;
}

/** What a plugin lets go of and nobody catches would end this process; it is a failure of the case that it came with. */
function collectStrays(): Disposable & { take(): Promise<string | undefined> } {
  const strays: unknown[] = [];
  const keep = (error: unknown) => void strays.push(error);
  const kinds = ['unhandledRejection', 'uncaughtException'] as const;
  for (const kind of kinds) process.on(kind, keep);
  return {
    async take() {
      // Node tells of a rejection once everything that was ready to run has run.
      await new Promise(setImmediate);
      const [first] = strays.splice(0);
      return first === undefined ? undefined : `it left a failure that nobody catches: ${sentence(first)}`;
    },
    [Symbol.dispose]() {
      for (const kind of kinds) process.off(kind, keep);
    },
  };
}

interface Tested {
  readonly name: string;
  readonly conformance: testing.Conformance;
}

function readSubject(path: string, exported: Readonly<Record<string, unknown>>): Tested {
  const definition = readPlugin(path, exported.default);
  const [fault] = misfits([{ ...definition, requires: {} }]);
  if (fault !== undefined) throw unfit(path, fault);
  const { name } = definition;
  const provided = Object.values(definition.provides ?? {}).map(({ id }) => id);
  const testable = SUITES.filter((id) => provided.includes(id));
  if (testable.length === 0) {
    throw unfit(path, `plugin ${name} provides nothing that has a suite`, `there are suites for ${SUITES.join(', ')}`);
  }
  const { conformance } = exported;
  if (!isRecord(conformance)) {
    throw unfit(path, `it does not say how plugin ${name} is tested: it exports no conformance`, example(testable));
  }
  const untold = testable.filter((id) => !isSubject(conformance[id]));
  if (untold.length > 0) {
    const which = untold.join(' and ');
    throw unfit(path, `plugin ${name} provides ${which}, and conformance does not say how to make it`, example(untold));
  }
  const strange = Object.keys(conformance).find((key) => !testable.some((id) => id === key));
  if (strange !== undefined) throw unfit(path, `conformance has '${strange}', which plugin ${name} does not provide`);
  // Every key of it is a suite's, with a `make`; what that makes, the suite itself finds out.
  return { name, conformance: conformance as testing.Conformance };
}

function readPlugin(path: string, exported: unknown): AnyDefinition {
  const hint = 'export default definePlugin({ … }), or export { default } from the file that does';
  if (exported === undefined) throw unfit(path, 'it has no default export, so there is no plugin to test', hint);
  if (isRecord(exported) && Array.isArray(exported.plugins)) {
    throw unfit(path, 'it is a config, and one plugin is tested at a time', "name the plugin's own file");
  }
  // A factory checks nothing: options are looked at when a plugin is brought up.
  const definition = definitionOf(typeof exported === 'function' ? madeBy(path, exported, hint) : exported);
  if (typeof definition === 'string') throw unfit(path, `its default export ${definition}`, hint);
  return definition;
}

function madeBy(path: string, factory: object, hint: string): unknown {
  try {
    return Reflect.apply(factory as () => unknown, undefined, []);
  } catch (cause) {
    throw unfit(path, `its default export is no plugin's factory: ${sentence(cause)}`, hint);
  }
}

const isSubject = (value: unknown): boolean => isRecord(value) && typeof value.make === 'function';

const example = (ids: readonly string[]): string =>
  `export const conformance: Conformance = { ${ids.map((id) => `${id}: { make: async ({ folder, boot }) => … }`).join(', ')} }`;

function unfit(path: string, message: string, hint?: string): SltvError {
  return coreErrors('config', `${path}: ${message}`, { hint });
}
