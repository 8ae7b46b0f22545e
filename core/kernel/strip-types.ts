// TypeScript becomes JavaScript by leaving out what is a type; every line and column stays where it was.
import module from 'node:module';

/** Throws what the parser says, with the place, where the text is more than JavaScript with types, or not even that. */
export function withoutTypes(text: string, url: string): string {
  // Node says on stderr, once, that this function is new: nothing that concerns whoever runs a config.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return module.stripTypeScriptTypes(text, { mode: 'strip', sourceUrl: url });
  } finally {
    process.emitWarning = emitWarning;
  }
}
