// Runs a config under the single executable, plain Node and Deno alike: `sltv` is always the executable's own, every local
// file is read trusted, and whatever goes wrong names the file and the line.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { coreErrors, type SltvError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { explain, syntaxError } from './config-errors.ts';
import { readTrusted } from './trust.ts';

type Namespace = Readonly<Record<string, unknown>>;

/**
 * Imports the config at `path`. `modules`: what it gets under `sltv` and `sltv/…`. Only the config and what it imports is
 * touched by the hooks; they stay, since a plugin may import a part of itself later. Errors: `core/config`, readTrusted's.
 */
export async function importConfig(path: string, modules: ReadonlyMap<string, object>): Promise<Namespace> {
  const virtual = virtualModules(modules);
  /** The text of every local file that was read, by its URL: what errors are explained with. */
  const texts = new Map<string, string>();
  const entry = pathToFileURL(readTrusted(path).path).href;
  const ours = new Set([entry]);
  // Node and Deno wrap or replace what a hook throws, so the first failure is kept aside.
  let failure: SltvError | undefined;
  const fail = (error: SltvError): never => {
    failure ??= error;
    throw error;
  };

  module.registerHooks({
    resolve(specifier, context, next) {
      if (specifier === virtual.importer) return { url: specifier, format: 'module', shortCircuit: true };
      const parent = context.parentURL;
      if (parent === undefined || !ours.has(parent)) return next(specifier, context);
      const format = context.conditions.includes('require') ? 'commonjs' : 'module';
      const own = virtual.urlOf(specifier, format);
      if (own !== undefined) return { url: own, format, shortCircuit: true };
      if (/^sltv(\/|$)/.test(specifier)) fail(noSuchModule(specifier, parent, modules));
      const local = localUrl(specifier, parent);
      if (local !== undefined) {
        if (!existsSync(fileURLToPath(local))) fail(notThere(specifier, parent, 'correct the path'));
        ours.add(local);
        // A package's own parts are its own affair: CommonJS or not, package.json says.
        return isPackage(local) ? next(specifier, context) : { url: local, shortCircuit: true };
      }
      try {
        const found = next(specifier, context);
        if (found.url.startsWith('file:')) ours.add(found.url);
        return found;
      } catch (cause) {
        return fail(notThere(specifier, parent, `npm install ${specifier} beside it, or correct the name`, cause));
      }
    },
    load(url, context, next) {
      const made = virtual.load(url);
      if (made !== undefined) return { ...made, shortCircuit: true };
      if (!ours.has(url)) return next(url, context);
      const text = trustedText(url, fail);
      texts.set(url, text);
      if (isPackage(url) || !/\.[mc]?[jt]s$/.test(url) || url.endsWith('.cjs')) return next(url, context);
      return { ...asModule(url, text, fail), shortCircuit: true };
    },
  });
  try {
    return await orStuck(importerFor(virtual.importer)(entry), path);
  } catch (error) {
    throw failure ?? explain(error, texts, modules);
  }
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

type Format = 'module' | 'commonjs';

interface Virtual {
  /** The URL of a module whose `load` is an `import` that reaches files. */
  readonly importer: string;
  urlOf(specifier: string, format: Format): string | undefined;
  load(url: string): { readonly format: Format; readonly source: string } | undefined;
}

/** Modules that hand out values of this process. */
function virtualModules(modules: ReadonlyMap<string, object>): Virtual {
  // A file's URL, though there is no such file: Deno makes one of whatever `require` is led to.
  const scope = `file:///sltv-${randomUUID()}/`;
  const importer = `${scope}import.mjs`;
  // A module's source can't close over a value: the global symbol is the way in.
  Reflect.set(globalThis, Symbol.for(scope), modules);
  const made = new Map<string, { format: Format; source: string }>();
  made.set(importer, { format: 'module', source: 'export const load = (url) => import(url);' });
  for (const [name, namespace] of modules) {
    const value = `globalThis[Symbol.for(${JSON.stringify(scope)})].get(${JSON.stringify(name)})`;
    const exported = Object.keys(namespace).map((key) =>
      key === 'default' ? 'export default module.default;' : `export const ${key} = module.${key};`,
    );
    made.set(`${scope}${name}.cjs`, { format: 'commonjs', source: `module.exports = ${value};` });
    made.set(`${scope}${name}.mjs`, { format: 'module', source: [`const module = ${value};`, ...exported].join('\n') });
  }
  return {
    importer,
    urlOf: (specifier, format) =>
      modules.has(specifier) ? `${scope}${specifier}${format === 'module' ? '.mjs' : '.cjs'}` : undefined,
    load: (url) => made.get(url),
  };
}

/** The `import()` of a single executable's own main reaches built-in modules only, so there it is borrowed. */
function importerFor(importer: string): (url: string) => Promise<Namespace> {
  const isExecutable = process.getBuiltinModule('node:sea')?.isSea() ?? false;
  if (!isExecutable) return (url) => import(url);
  return module.createRequire(process.execPath)(importer).load;
}

/** Where a relative or absolute import leads, its extension added where it was left out. */
function localUrl(specifier: string, parent: string): string | undefined {
  if (!/^(\.{0,2}\/|file:)/.test(specifier)) return undefined;
  const { href } = new URL(specifier, parent);
  const candidates = [
    href,
    ...['.ts', '.mjs', '.js'].map((extension) => href + extension),
    href.replace(/\.js$/, '.ts'),
  ];
  return candidates.find((candidate) => existsSync(fileURLToPath(candidate))) ?? href;
}

const isPackage = (url: string): boolean => url.includes('/node_modules/');

function notThere(specifier: string, parent: string, hint: string, cause?: unknown): SltvError {
  return coreErrors('config', `${fileURLToPath(parent)} imports '${specifier}', which is not there`, { hint, cause });
}

function noSuchModule(specifier: string, parent: string, modules: ReadonlyMap<string, object>): SltvError {
  const meant = nearest(specifier, modules.keys());
  return coreErrors('config', `${fileURLToPath(parent)} imports '${specifier}', which this sltv does not have`, {
    hint: meant === undefined ? `it has ${[...modules.keys()].join(', ')}` : `did you mean '${meant}'?`,
  });
}

function trustedText(url: string, fail: (error: SltvError) => never): string {
  try {
    return readTrusted(fileURLToPath(url)).text;
  } catch (error) {
    // readTrusted throws nothing else.
    return fail(error as SltvError);
  }
}

function asModule(url: string, text: string, fail: (error: SltvError) => never) {
  if (!/\.m?ts$/.test(url)) return { format: 'module', source: text };
  // Node strips types itself, without the warning that its stripTypeScriptTypes gives; Deno has only the function.
  if (process.versions.deno === undefined) return { format: 'module-typescript', source: text };
  try {
    return { format: 'module', source: module.stripTypeScriptTypes(text, { mode: 'strip', sourceUrl: url }) };
  } catch (error) {
    return fail(syntaxError(error, url));
  }
}
