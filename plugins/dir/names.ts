// What a file may be called, and its side file beside it.

/** A file system's 255 bytes, less the `.json.new` that a side file has while it is written. */
const LONGEST = 246;

/** Says in a sentence why no volume can have this name; undefined when one can. */
export function objectionToName(name: string): string | undefined {
  if (name === '') return 'a file needs a name';
  if (name.startsWith('.')) return 'files that begin with a dot are hidden, and so never disks';
  if (name.includes('/')) return "a file's name can't contain a slash";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\0-\x1f\x7f]/.test(name)) return 'control characters would make the file hard to handle by hand';
  if (Buffer.byteLength(name) > LONGEST) return `a file's name has at most ${LONGEST} bytes here`;
  return undefined;
}
