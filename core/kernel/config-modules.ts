// Runs a config under the single executable, plain Node and Deno alike: `sltv` is always the executable's own, every file
// is read trusted, TypeScript serves in packages too, and whatever goes wrong names the file and the line.
import { statSync } from 'node:fs';
import module, { type LoadHookSync, type ResolveHookSync } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { asSltvError, coreErrors, type SltvError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { explain, type Sources, syntaxError } from './config-errors.ts';
import { type Namespace, type OwnModules, ownModules } from './own-modules.ts';
import { withoutTypes } from './strip-types.ts';
import { readTrusted } from './trust.ts';

/**
 * Imports the config at `path`. `modules`: what it gets under `sltv` and `sltv/…`. Only the config and what it imports is
 * touched by the hooks; they stay, since a plugin may import a part of itself later. Errors: `core/config`, readTrusted's.
 */
export async function importConfig(path: string, modules: ReadonlyMap<string, object>): Promise<Namespace> {
  const own = ownModules(modules);
  const entry = pathToFileURL(readTrusted(path).path).href;
  // Node and Deno wrap or replace what a hook throws, so the first failure is kept aside.
  let failure: SltvError | undefined;
  const fail: Fail = (error) => {
    failure ??= error;
    throw error;
  };
  const ours = new Map<string, string | undefined>([[entry, undefined]]);
  const loading: Loading = { own, ours, sources: new Map(), missing: missingImports(), fail };
  module.registerHooks({ resolve: resolver(loading), load: loader(loading) });
  try {
    return await orStuck(own.import(entry), path);
  } catch (error) {
    throw failure ?? loading.missing.behind(error) ?? explain(error, loading.sources, modules);
  }
}

type Fail = (error: SltvError) => never;

/** A config on its way. */
interface Loading {
  readonly own: OwnModules;
  /** The config and all that it imports, by URL; of what belongs to a package, that one's name. */
  readonly ours: Map<string, string | undefined>;
  readonly sources: Sources;
  readonly missing: MissingImports;
  readonly fail: Fail;
}

function resolver({ own, ours, missing, fail }: Loading): ResolveHookSync {
  return (specifier, context, next) => {
    if (specifier === own.importer) return { url: specifier, format: 'module', shortCircuit: true };
    const parent = context.parentURL;
    if (parent === undefined || !ours.has(parent)) return next(specifier, context);
    const format = context.conditions.includes('require') ? 'commonjs' : 'module';
    const url = own.urlOf(specifier, format);
    if (url !== undefined) return { url, format, shortCircuit: true };
    if (/^sltv(\/|$)/.test(specifier)) fail(noSuchModule(specifier, parent, own.names));
    if (/^(https?|npm|jsr):/.test(specifier)) fail(notAFile(specifier, parent));

    const within = ours.get(parent);
    const local = localUrl(specifier, parent);
    const take = (url: string, owner: string | undefined) => {
      if (!ours.has(url)) ours.set(url, owner);
      return { url, shortCircuit: true };
    };
    if (local !== undefined && within === undefined && !isInPackage(local)) {
      return isFile(local) ? take(local, undefined) : fail(notThere(specifier, parent, 'correct the path'));
    }
    try {
      const found = thereIs(next(specifier, context));
      // Its own part, or what another package has.
      const owner = local === undefined ? (packageName(specifier) ?? within) : (within ?? packageName(local));
      if (found.url.startsWith('file:')) take(found.url, owner);
      return found;
    } catch (cause) {
      // TypeScript names the file that it will become, or leaves its extension out.
      if (local !== undefined && isTypeScript(local) && isFile(local)) return take(local, within);
      if (within === undefined) {
        return fail(notThere(specifier, parent, `npm install ${specifier} beside it, or correct the name`, cause));
      }
      // As it came: a package may ask for what it can do without, and goes by the error's code.
      missing.add(specifier, parent, within, cause);
      throw cause;
    }
  };
}

function loader({ own, ours, sources, fail }: Loading): LoadHookSync {
  return (url, context, next) => {
    const made = own.load(url);
    if (made !== undefined) return { ...made, shortCircuit: true };
    if (!ours.has(url)) return next(url, context);
    const within = ours.get(url);
    const text = trustedText(url, fail);
    sources.set(url, { text, package: within });
    if (isTypeScript(url)) return { ...javaScriptOf(url, text, within, fail), shortCircuit: true };
    // Deno would take it for JavaScript where CommonJS requires it.
    if (url.endsWith('.json')) return { format: 'json', source: text, shortCircuit: true };
    // A package's own parts are its own affair: CommonJS or not, package.json says.
    if (within !== undefined || !/\.m?js$/.test(url)) return next(url, context);
    return { format: 'module', source: text, shortCircuit: true };
  };
}

/** An `await` at the top of a config that nothing will ever end leaves the process without work, and it would just exit. */
async function orStuck<T>(loading: Promise<T>, path: string): Promise<T> {
  const { promise: stuck, reject } = Promise.withResolvers<never>();
  const idle = () =>
    reject(
      coreErrors('config', `${path}: it waits for something that never comes`, {
        hint: 'look for an await outside of functions, there or in what it imports',
      }),
    );
  process.once('beforeExit', idle);
  try {
    return await Promise.race([loading, stuck]);
  } finally {
    process.off('beforeExit', idle);
  }
}

/** Imports that packages could not have, of which some can do without. */
interface MissingImports {
  add(specifier: string, parent: string, within: string, cause: unknown): void;
  /** The one that a package could not do without. */
  behind(error: unknown): SltvError | undefined;
}

function missingImports(): MissingImports {
  const found: { readonly cause: unknown; readonly error: SltvError }[] = [];
  const said = (error: unknown) => (error instanceof Error ? error.message : String(error));
  return {
    add(specifier, parent, within, cause) {
      const [folder] = fileURLToPath(parent).split('/node_modules/');
      const hint = `npm install in ${folder ?? dirname(fileURLToPath(parent))}: it is the package ${within} that needs it`;
      found.push({ cause, error: notThere(specifier, parent, hint, cause) });
    },
    behind: (error) => found.find(({ cause }) => cause === error || said(error).includes(said(cause)))?.error,
  };
}

/** Deno also leads to what is not there. */
function thereIs<T extends { readonly url: string }>(found: T): T {
  if (!found.url.startsWith('file:') || isFile(found.url)) return found;
  throw Object.assign(new Error(`Cannot find module '${found.url}'`), { code: 'ERR_MODULE_NOT_FOUND' });
}

/** Where a relative or absolute import leads, its extension added where it was left out. */
function localUrl(specifier: string, parent: string): string | undefined {
  if (!/^(\.{0,2}\/|file:)/.test(specifier)) return undefined;
  const { href } = new URL(specifier, parent);
  const candidates = [
    href,
    ...['.ts', '.mjs', '.js'].map((extension) => href + extension),
    href.replace(/\.js$/, '.ts'),
    href.replace(/\.mjs$/, '.mts'),
  ];
  return candidates.find(isFile) ?? href;
}

const isFile = (url: string): boolean => statSync(fileURLToPath(url), { throwIfNoEntry: false })?.isFile() ?? false;

const isTypeScript = (url: string): boolean => /\.[mc]?ts$/.test(url);

const isInPackage = (url: string): boolean => url.includes('/node_modules/');

/** `@scope/name` of `@scope/name/part`; none of `#part`, which is the importer's own. */
const packageName = (specifier: string): string | undefined =>
  /^(?:.*\/node_modules\/)?((?:@[^/]+\/)?[^/#]+)/.exec(specifier)?.[1];

function notThere(specifier: string, parent: string, hint: string, cause?: unknown): SltvError {
  return coreErrors('config', `${fileURLToPath(parent)} imports '${specifier}', which is not there`, { hint, cause });
}

function notAFile(specifier: string, parent: string): SltvError {
  return coreErrors('config', `${fileURLToPath(parent)} imports '${specifier}', and a config is made of files alone`, {
    hint: 'npm install the package beside the config, and import it by its name',
  });
}

function noSuchModule(specifier: string, parent: string, names: readonly string[]): SltvError {
  const meant = nearest(specifier, names);
  return coreErrors('config', `${fileURLToPath(parent)} imports '${specifier}', which this sltv does not have`, {
    hint: meant === undefined ? `it has ${names.join(', ')}` : `did you mean '${meant}'?`,
  });
}

function trustedText(url: string, fail: Fail): string {
  try {
    return readTrusted(fileURLToPath(url)).text;
  } catch (error) {
    return fail(asSltvError(error));
  }
}

/** TypeScript is an ES module, in packages too, unless its name says otherwise. */
function javaScriptOf(url: string, text: string, within: string | undefined, fail: Fail) {
  const format = url.endsWith('.cts') ? 'commonjs' : 'module';
  // Node does it itself, and keeps what comes of it in the compile cache; but not in packages. Deno has only the function.
  const isNodes = process.versions.deno === undefined && !isInPackage(url);
  if (isNodes) return { format: `${format}-typescript` as const, source: text };
  try {
    return { format, source: withoutTypes(text, url) } as const;
  } catch (error) {
    return fail(syntaxError(error, url, within));
  }
}
