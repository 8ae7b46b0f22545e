// Modules that hand out values of this process: what a config gets under `sltv` and `sltv/…`.
import { randomUUID } from 'node:crypto';
import module from 'node:module';

export type Namespace = Readonly<Record<string, unknown>>;
export type Format = 'module' | 'commonjs';

export interface OwnModules {
  /** What a config may import. */
  readonly names: readonly string[];
  /** The URL of a module that `import` needs to be loaded like the others. */
  readonly importer: string;
  /** Where one of them is found; undefined for a name that is not ours. */
  urlOf(specifier: string, format: Format): string | undefined;
  load(url: string): { readonly format: Format; readonly source: string } | undefined;
  /** An `import()` that reaches files. */
  import(url: string): Promise<Namespace>;
}

export function ownModules(modules: ReadonlyMap<string, object>): OwnModules {
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
    names: [...modules.keys()],
    importer,
    urlOf: (specifier, format) =>
      modules.has(specifier) ? `${scope}${specifier}${format === 'module' ? '.mjs' : '.cjs'}` : undefined,
    load: (url) => made.get(url),
    import(url) {
      // The `import()` of a single executable's own main reaches built-in modules only, so there it is borrowed.
      const isExecutable = process.getBuiltinModule('node:sea')?.isSea() ?? false;
      return isExecutable ? module.createRequire(process.execPath)(importer).load(url) : import(url);
    },
  };
}
