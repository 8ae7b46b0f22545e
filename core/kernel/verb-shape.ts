// Whether a plugin's verb is declared as one: from plain JavaScript anything may come, and every client is told of it.
import * as v from 'valibot';
import { flawsOf, pathText } from './schema.ts';
import { FIELD_TYPES, GIVES, ROLES } from './verb.ts';

/** What is wrong with a declaration, each with its path; undefined when nothing is. */
export function flawOfVerb(declared: unknown): string | undefined {
  const { issues } = v.safeParse(Shape, declared);
  const flaws = issues?.flatMap((issue) => flawsOf(issue, Shape));
  return flaws?.map(({ path, message }) => [pathText(path), message].filter(Boolean).join(': ')).join('; ');
}

const Field = v.object({
  type: v.picklist(FIELD_TYPES),
  about: v.string(),
  optional: v.optional(v.boolean()),
  list: v.optional(v.boolean()),
  choices: v.optional(v.array(v.string())),
});
const Fields = v.record(v.string(), Field);
const Shape = v.object({
  about: v.string(),
  example: v.string(),
  role: v.picklist(ROLES),
  args: Fields,
  options: Fields,
  gives: v.picklist(GIVES),
  result: Fields,
});
