// Words into what a verb declares, through cac.
import { cac } from 'cac';
import { coreErrors } from '../errors.ts';
import type { Fields } from '../kernel/verb.ts';
import type { Spellings } from './command.ts';
import { meant } from './suggest.ts';
import { optionWords, placeholderOf, usageOf } from './usage.ts';
import { optionOf, readWord, type Value } from './values.ts';

export interface Grammar {
  /** What was typed to get here, for messages: `sltv disk create`. */
  readonly title: string;
  readonly args: Fields;
  readonly options: Fields;
  readonly spellings: Spellings;
  /** Flags that belong elsewhere, and yet are what a typist may have meant. */
  readonly nearby: readonly string[];
}

/**
 * Reads arguments and options into values by name; what was not given is not there.
 * Errors: `core/unknown-verb` for an option that isn't declared, `core/input`, `core/bad-size`.
 */
export function parse(grammar: Grammar, words: readonly string[]): Record<string, Value | Value[]> {
  const cli = cac(grammar.title);
  cli.command('');
  for (const [name, field] of Object.entries(grammar.options)) {
    cli.option(`--${keyOf(name)}${field.type === 'flag' ? '' : ' <value>'}`, field.about);
  }
  const { args, options } = cli.parse(['', '', ...shielded(grammar, words)], { run: false });
  return {
    ...readArgs(grammar, [...args.map(unshield), ...options['--']]),
    ...readOptions(grammar, options),
  };
}

/** Whether a word is an option. What begins with a dash and a digit is a number, and `-` is a word. */
export const isOption = (word: string) => /^-(?![\d.]|$)/.test(word);

/** Every spelling of these options, with the option that it means. */
export function spelledOptions(options: Fields, spellings: Spellings): ReadonlyMap<string, string> {
  const all = Object.keys(options).flatMap((name) =>
    [
      optionOf(name),
      ...(spellings[name] ?? []).map((other) => (other.length === 1 ? `-${other}` : optionOf(other))),
    ].map((spelling) => [spelling, name] as const),
  );
  return new Map(all);
}

/** How cac knows an option: without the hyphens and `no-` that it would read something into. */
const keyOf = (name: string) => name.replaceAll('-', '').toLowerCase();

/** cac turns words that look like numbers into numbers; no number begins with this. */
const SHIELD = '\0';
const unshield = (word: string) => (word.startsWith(SHIELD) ? word.slice(1) : word);

/** The words in the one spelling that cac was told, and safe from it. */
function shielded(grammar: Grammar, words: readonly string[]): string[] {
  const spelled = spelledOptions(grammar.options, grammar.spellings);
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  const before = words.slice(0, end).map((word) => {
    if (!isOption(word)) return SHIELD + word;
    const [flag = '', ...value] = word.split('=');
    const name = spelled.get(flag);
    if (name === undefined) throw unknownOption(grammar, flag, spelled.keys());
    if (value.length === 0) return `--${keyOf(name)}`;
    if (grammar.options[name]?.type !== 'flag') return `--${keyOf(name)}=${SHIELD}${value.join('=')}`;
    throw coreErrors('input', `${flag} takes no value, and '${word}' gives it one`, { hint: `write ${flag} alone` });
  });
  return [...before, ...words.slice(end)];
}

function unknownOption(grammar: Grammar, flag: string, known: Iterable<string>) {
  // One letter is near to every other.
  const all = [...known, ...grammar.nearby];
  const likely = flag.length > 2 ? meant(flag, all) : onlyOneWith(flag, all);
  const option = likely ? `did you mean ${likely}?` : `${grammar.title} --help lists its options;`;
  const isName = !flag.startsWith('--') && Object.keys(grammar.args).length > 0;
  return coreErrors('unknown-verb', `${grammar.title} has no option ${flag}`, {
    hint: isName ? `${option} a name that begins with a dash goes after --` : option.replace(/;$/, ''),
  });
}

/** `-f` is `--force` where no other option begins so. */
function onlyOneWith(letter: string, known: readonly string[]): string | undefined {
  const [only, ...others] = known.filter((each) => each.startsWith(`-${letter}`));
  return others.length === 0 ? only : undefined;
}

function readArgs(grammar: Grammar, words: readonly string[]): Record<string, Value | Value[]> {
  const input: Record<string, Value | Value[]> = {};
  const left = [...words];
  for (const [name, field] of Object.entries(grammar.args)) {
    const own = field.list ? left.splice(0) : left.splice(0, 1);
    const [first] = own;
    if (first === undefined) {
      if (field.optional) continue;
      throw coreErrors('input', `${grammar.title} needs ${placeholderOf(name)}: ${field.about}`, usageHint(grammar));
    }
    input[name] = field.list ? own.map((word) => readWord(field, name, word)) : readWord(field, name, first);
  }
  if (left.length === 0) return input;
  const extra = left.map((word) => `'${word}'`).join(' and ');
  throw coreErrors('input', `${grammar.title} has no use for ${extra}`, { hint: placeOf(left, grammar) });
}

/** Where words should have gone that stand where nothing is expected. */
function placeOf(words: readonly string[], grammar: Grammar): string {
  if (words.some(isOption)) return 'nothing after -- is an option: write the options before it';
  const sizes = Object.keys(grammar.options).filter((name) => grammar.options[name]?.type === 'size');
  const size = words.find((word) => /^\+?\d[\d.]*([KMGT](i?B)?|B)$/i.test(word));
  if (size !== undefined && sizes.length > 0) {
    const fitting = size.startsWith('+') && sizes.includes('delta') ? ['delta'] : sizes;
    return `did you mean ${fitting.map((name) => `${optionOf(name)} ${size}`).join(' or ')}?`;
  }
  if (sizes.length > 0 && words.some((word) => /^[KMGT](i?B)?$/i.test(word))) return 'a size is one word, such as 10G';
  return usageOf(grammar);
}

function readOptions(grammar: Grammar, options: Readonly<Record<string, unknown>>): Record<string, Value | Value[]> {
  const input: Record<string, Value | Value[]> = {};
  for (const [name, field] of Object.entries(grammar.options)) {
    const given = [options[keyOf(name)] ?? []].flat();
    if (given.length === 0) {
      if (field.optional || field.type === 'flag') continue;
      throw coreErrors('input', `${grammar.title} needs ${optionOf(name)}: ${field.about}`, usageHint(grammar));
    }
    if (given.length > 1 && !field.list) {
      throw coreErrors('input', `${optionOf(name)} is given ${given.length} times`, { hint: 'give it once' });
    }
    const values = given.map((word) => {
      if (typeof word === 'string') return readWord(field, name, unshield(word));
      if (field.type === 'flag') return true;
      throw coreErrors('input', `${optionOf(name)} needs a value: ${field.about}`, { hint: optionWords(name, field) });
    });
    const [first] = values;
    if (first !== undefined) input[name] = field.list ? values : first;
  }
  return input;
}

const usageHint = (grammar: Grammar) => ({ hint: usageOf(grammar) });
