// What a runtime says about a config that can't be run, as a sentence with the file and the line.
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { coreErrors, SltvError } from '../errors.ts';
import { nearest } from '../nearest.ts';

type Modules = ReadonlyMap<string, object>;

/**
 * Finds the place in one of the config's files (`texts`, by URL) that an error of its import speaks of. `modules`: what
 * they could import of ours.
 */
export function explain(error: unknown, texts: ReadonlyMap<string, string>, modules: Modules): SltvError {
  if (error instanceof SltvError) return error;
  const place = placeIn(error, texts) ?? (error instanceof SyntaxError ? placeOfSyntax(texts) : undefined);
  if (place !== undefined) return failure(error, place.url, place.line, modules);
  return failure(error, [...texts.keys()][0], undefined, modules);
}

/** An error of stripping the types of one file. */
export function syntaxError(error: unknown, url: string): SltvError {
  // Deno calls the text by a name of its own, and says the place in the message.
  const said = error instanceof Error ? error.message : String(error);
  return failure(error, url, lineIn(said) ?? placeIn(error, new Map([[url, '']]))?.line);
}

interface Place {
  readonly url: string;
  readonly line: string | undefined;
}

function failure(
  error: unknown,
  url: string | undefined,
  line: string | undefined,
  modules: Modules = new Map(),
): SltvError {
  const message = error instanceof Error ? error.message : String(error);
  // Deno writes the place into the message too.
  const said = message.replace(/ at file:\S+$/, '').replace(/^(\w*Error: |\[\w+\] )/, '');
  const place = url === undefined ? 'the config' : [fileURLToPath(url), line].filter(Boolean).join(':');
  return coreErrors('config', `${place}: ${said}`, { hint: remedyFor(said, modules), cause: error });
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

function placeIn(error: unknown, texts: ReadonlyMap<string, string>): Place | undefined {
  const text = textOf(error);
  const places = [...texts.keys()].flatMap((url) => {
    const index = text.indexOf(`${url}:`);
    return index < 0 ? [] : [{ url, index, line: lineIn(text.slice(index)) }];
  });
  return places.sort((a, b) => a.index - b.index)[0];
}

/** V8 does not say where in a plain JavaScript module its syntax is wrong; the type stripper's parser does. */
function placeOfSyntax(texts: ReadonlyMap<string, string>): Place | undefined {
  for (const [url, text] of texts) {
    try {
      module.stripTypeScriptTypes(text, { mode: 'strip', sourceUrl: url });
    } catch (error) {
      return { url, line: lineIn(textOf(error)) };
    }
  }
  return undefined;
}

const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.stack}\n${error.message}` : String(error);

const lineIn = (text: string): string | undefined => /file:\/\/\S+?:(\d+)/.exec(text)?.[1];
