// Help pages, from declarations.
import type { Field, Fields } from '../kernel/verb.ts';
import type { Command, Commands, Spellings } from './command.ts';
import { globalOptions } from './globals.ts';
import { columns } from './table.ts';
import { optionWords, placeholderOf, usageOf } from './usage.ts';
import { optionOf } from './values.ts';

/** A verb's page; `title` is what was typed to get here, which may be an old spelling. */
export function verbHelp(title: string, { verb, spellings }: Command): string {
  return page([
    `${title}: ${verb.about}`,
    section('Usage', [usageOf({ title, ...verb })]),
    section(
      'Arguments',
      columns(Object.entries(verb.args).map(([name, field]) => [placeholderOf(name), meaningOf(field)])),
    ),
    section('Options', columns(optionRows(verb.options, spellings))),
    section('Example', [verb.example]),
    `Needs the role ${verb.role}. Everywhere: ${Object.keys(globalOptions).map(optionOf).join(', ')} (see sltv help).`,
  ]);
}

/** A noun's page: its verbs. */
export function nounHelp(noun: string, commands: Commands): string {
  const verbs = Object.entries(commands).map(
    ([words, { verb }]) => `${usageOf({ title: `sltv ${words}`, ...verb })}\n      ${verb.about}`,
  );
  return page([section(`sltv ${noun}`, verbs), `sltv help ${noun} VERB explains one of them.`]);
}

/** What `sltv` alone says. */
export function topHelp(commands: Commands): string {
  return page([
    'sltv: virtual disks for the VMs of a KVM host',
    section('Usage', ['sltv NOUN VERB [ARGUMENT…] [--option…]']),
    section('Verbs', verbRows(commands)),
    section('Everywhere', columns(optionRows(globalOptions))),
    section('Sizes', ['512M, 10G, 1.5T: B, K, M, G, T in powers of 1024; without a unit, bytes']),
    'sltv help disk create explains a verb; sltv plugin list shows the verbs of plugins.',
  ]);
}

/** Options as typed, and what they mean. */
export function optionRows(options: Fields, spellings: Spellings = {}): string[][] {
  return Object.entries(options).map(([name, field]) => {
    const others = (spellings[name] ?? []).map(optionOf);
    return [optionWords(name, field), field.about + (others.length === 0 ? '' : `; also ${others.join(', ')}`)];
  });
}

const verbRows = (commands: Commands) =>
  columns(Object.entries(commands).map(([words, { verb }]) => [words, verb.about]));

const meaningOf = ({ about, choices }: Field) => (choices ? `${about} (${choices.join(', ')})` : about);

const section = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? '' : [`${title}:`, ...lines.map((line) => `  ${line}`)].join('\n');

const page = (parts: readonly string[]) => `${parts.filter((part) => part !== '').join('\n\n')}\n`;
