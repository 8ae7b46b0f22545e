// What a runtime says about a config that can't be run, as a sentence with the file and the line.
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { coreErrors, SltvError } from '../errors.ts';

/** Finds the place in one of the config's files (`texts`, by URL) that an error of its import speaks of. */
export function explain(error: unknown, texts: ReadonlyMap<string, string>): SltvError {
  if (error instanceof SltvError) return error;
  const place = placeIn(error, texts) ?? (error instanceof SyntaxError ? placeOfSyntax(texts) : undefined);
  if (place !== undefined) return failure(error, place.url, place.line);
  return failure(error, [...texts.keys()][0], undefined);
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

function failure(error: unknown, url: string | undefined, line: string | undefined): SltvError {
  const message = error instanceof Error ? error.message : String(error);
  // Deno writes the place into the message too.
  const said = message.replace(/ at file:\S+$/, '').replace(/^\w*Error: /, '');
  const place = url === undefined ? 'the config' : [fileURLToPath(url), line].filter(Boolean).join(':');
  return coreErrors('config', `${place}: ${said}`, {
    hint: /strip-only|not supported in strip/.test(message)
      ? 'only types that can be left out work here: write a union of strings for an enum, a plain field for a parameter property'
      : undefined,
    cause: error,
  });
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
