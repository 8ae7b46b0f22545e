// What a runtime says about a config that can't be run, as a sentence with the file and the line.
import { fileURLToPath } from 'node:url';
import { coreErrors, SltvError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { withoutTypes } from './strip-types.ts';

type Modules = ReadonlyMap<string, object>;

/** A file that was read for a config. */
export interface Source {
  readonly text: string;
  /** The package that it belongs to. */
  readonly package: string | undefined;
}

/** By URL, in the order in which they were read. */
export type Sources = Map<string, Source>;

/** Finds the place in one of the config's files that an error of its import speaks of. `modules`: what they could import of ours. */
export function explain(error: unknown, sources: Sources, modules: Modules): SltvError {
  if (error instanceof SltvError) return error;
  const place = placeIn(error, sources.keys()) ?? (error instanceof SyntaxError ? placeOfSyntax(sources) : undefined);
  const { url, line } = place ?? { url: [...sources.keys()][0], line: undefined };
  return failure(error, { url, line, modules, package: url === undefined ? undefined : sources.get(url)?.package });
}

/** An error of stripping the types of one file, which may belong to a package. */
export function syntaxError(error: unknown, url: string, within: string | undefined): SltvError {
  // Deno calls the text by a name of its own, and says the place in the message.
  const line = lineIn(messageOf(error)) ?? placeIn(error, [url])?.line;
  return failure(error, { url, line, package: within, modules: new Map() });
}

interface Place {
  readonly url: string;
  readonly line: string | undefined;
}

interface Whereabouts {
  readonly url: string | undefined;
  readonly line: string | undefined;
  readonly package: string | undefined;
  readonly modules: Modules;
}

function failure(error: unknown, { url, line, package: within, modules }: Whereabouts): SltvError {
  // Deno writes the place into the message too.
  const said = messageOf(error)
    .replace(/ at file:\S+$/, '')
    .replace(/^(\w*Error: |\[\w+\] )/, '');
  const place = url === undefined ? 'the config' : [fileURLToPath(url), line].filter(Boolean).join(':');
  const hint = within === undefined ? remedyFor(said, modules) : remedyIn(within, said, modules);
  return coreErrors('config', `${place}: ${said}`, { hint, cause: error });
}

/** Nobody mends a package where it was installed. */
function remedyIn(within: string, said: string, modules: Modules): string {
  const remedy = remedyFor(said, modules);
  return `that is in the package ${within}${remedy === undefined ? ': take another version of it, or tell whoever made it' : `; ${remedy}`}`;
}

/** What to write instead, where the runtime's words are known. */
function remedyFor(said: string, modules: Modules): string | undefined {
  if (/strip-only|not supported in strip/.test(said)) {
    return 'only types that can be left out work here: write a union of strings for an enum, a plain field for a parameter property';
  }
  // All that Deno's type stripper says; its checker says more.
  if (said === 'Syntax error') return 'deno check, with the path of that file, shows the place';
  if (/^(module|exports|require) is not defined/.test(said)) {
    return 'a config is an ES module: import lvm from, and export default defineConfig({ … })';
  }
  const word = /^(\w+) is not defined/.exec(said)?.[1] ?? /does not provide an export named '(\w+)'/.exec(said)?.[1];
  return word === undefined ? undefined : importOf(word, modules);
}

/** The line that brings in one of our names, or the one that was most likely meant. */
function importOf(word: string, modules: Modules): string | undefined {
  const lines = new Map<string, string>();
  for (const [module, namespace] of modules) {
    for (const name of Object.keys(namespace)) {
      if (name !== 'default') lines.set(name, `import { ${name} } from '${module}'`);
      const plugin = module.replace(/^sltv\//, '').replace(/-./g, ([, letter = '']) => letter.toUpperCase());
      if (name === 'default') lines.set(plugin, `import ${plugin} from '${module}'`);
    }
  }
  const known = nearest(word, lines.keys());
  return known === undefined ? undefined : lines.get(known);
}

/** The file that an error names first, as a URL or as a path: CommonJS has only paths. */
function placeIn(error: unknown, urls: Iterable<string>): Place | undefined {
  const text = textOf(error);
  const places = [...urls].flatMap((url) =>
    [url, fileURLToPath(url)].flatMap((name) => {
      const index = text.indexOf(`${name}:`);
      return index < 0 ? [] : [{ url, index, line: /^:(\d+)/.exec(text.slice(index + name.length))?.[1] }];
    }),
  );
  return places.sort((a, b) => a.index - b.index)[0];
}

/** V8 does not say where in a plain JavaScript module its syntax is wrong; the type stripper's parser does. */
function placeOfSyntax(sources: Sources): Place | undefined {
  for (const [url, { text }] of sources) {
    try {
      withoutTypes(text, url);
    } catch (error) {
      return { url, line: lineIn(textOf(error)) };
    }
  }
  return undefined;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.stack}\n${error.message}` : String(error);

const lineIn = (text: string): string | undefined => /file:\/\/\S+?:(\d+)/.exec(text)?.[1];
