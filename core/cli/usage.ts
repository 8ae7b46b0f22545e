// How a command is typed, from its declaration.
import type { Field, Fields } from '../kernel/verb.ts';
import { optionOf } from './values.ts';

export interface Described {
  /** `sltv disk create`. */
  readonly title: string;
  readonly args: Fields;
  readonly options: Fields;
}

/** `sltv disk create NAME [--size SIZE] [--thin]`. */
export function usageOf({ title, args, options }: Described): string {
  return [title, ...Object.entries(args).map(argumentUsage), ...Object.entries(options).map(optionUsage)].join(' ');
}

const argumentUsage = ([name, field]: [string, Field]) => {
  const word = placeholderOf(name) + (field.list ? '…' : '');
  return field.optional ? `[${word}]` : word;
};

const optionUsage = ([name, field]: [string, Field]) => {
  const words = optionWords(name, field) + (field.list ? '…' : '');
  return field.optional || field.type === 'flag' ? `[${words}]` : words;
};

/** `--size SIZE`. */
export const optionWords = (name: string, field: Field) =>
  field.type === 'flag' ? optionOf(name) : `${optionOf(name)} ${wordOf(name, field)}`;

export const placeholderOf = (name: string) => optionOf(name).slice(2).toUpperCase();

const wordOf = (name: string, field: Field) => {
  if (field.choices) return field.choices.join('|');
  return field.type === 'text' ? placeholderOf(name) : WORDS[field.type];
};

const WORDS = { size: 'SIZE', count: 'N', duration: 'DURATION', flag: '', time: 'TIME' } as const;
