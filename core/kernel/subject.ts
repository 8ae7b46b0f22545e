// A certificate's subject, as a config names it: `CN=monitor`, `OU=storage, O=Example Ltd`, or `*` for every certificate.

/** Each attribute's name, in capitals, and its whole value. None: every certificate. */
export type Subject = readonly (readonly [name: string, value: string])[];

/** Undefined for words that name no subject. A comma inside a value is written `\,`. */
export function readSubject(words: string): Subject | undefined {
  if (words.trim() === '*') return [];
  const attributes = words.split(/(?<!\\),/).map((part) => /^\s*([A-Za-z][A-Za-z0-9.]*)=(.*\S)\s*$/.exec(part));
  const subject: [string, string][] = [];
  for (const attribute of attributes) {
    const [, name, value] = attribute ?? [];
    if (name === undefined || value === undefined) return undefined;
    subject.push([name.toUpperCase(), value.replaceAll('\\,', ',')]);
  }
  return subject;
}
