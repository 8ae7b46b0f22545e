// docs/cli.md, from the declarations: `node core/cli/page.ts > docs/cli.md`. A test compares.
import { KINDS } from '../errors.ts';
import type { Command } from './command.ts';
import { globalOptions } from './globals.ts';
import { optionRows } from './help.ts';
import { aliases, allCommands } from './nouns.ts';
import { labelOf } from './show.ts';
import { placeholderOf, usageOf } from './usage.ts';

/** The whole page. */
export async function cliPage(): Promise<string> {
  const commands = Object.entries(await allCommands());
  return [
    HEAD,
    table('option', 'meaning', optionRows(globalOptions)),
    MIDDLE,
    table(
      'exit code',
      'kind of error',
      Object.entries(KINDS).map(([kind, { exit }]) => [String(exit), kind]),
    ),
    '## Verbs',
    ...commands.map(([words, command]) => section(words, command)),
    '## Old spellings\n\nThe words of the older command line go on working, each with the options of the verb that it means.',
    table('old', 'is', Object.entries(aliases)),
  ]
    .map((part) => part.trim())
    .join('\n\n')
    .concat('\n');
}

const HEAD = `
# The command line

<!-- Written by \`node core/cli/page.ts > docs/cli.md\` from the declarations in core/cli; a test compares. -->

\`sltv NOUN VERB [ARGUMENT…] [--option…]\`. Options stand anywhere, as \`--size 10G\` or \`--size=10G\`; what follows \`--\` is
never an option. \`sltv help\` lists the verbs, \`sltv help disk create\` and \`sltv disk create --help\` explain one, and the
plugins of a running daemon add theirs (\`sltv plugin list\`).

Sizes are \`512M\`, \`10G\`, \`1.5T\`: B, K, M, G, T in powers of 1024, and bytes without a unit. Durations are \`500ms\`, \`30s\`, \`2m\`,
\`1h\`. A disk is \`POOL/NAME\`; the name alone serves while no other pool has it.

## Everywhere
`;

const MIDDLE = `
## Output

Tables and sizes are for people. With \`--json\` stdout has the daemon's answer as proto3 JSON (a line for each result of a
stream), and stderr an error as \`{"code", "kind", "message", "hint"}\`. Headings are bold on a terminal, unless NO_COLOR is set.
\`--watch\`, which every verb that reads and gives a list has, asks again two seconds after each answer, until Ctrl-C, which ends it with 0; an
error ends it with its own code. On a terminal the new table takes the old one's place, elsewhere it follows after an empty line,
and with \`--json\` each round is one line.
Errors go to stderr, with what to do about them:

    sltv: volume group vg0 has 1 GiB free, 5 GiB are needed
    hint: sltv pool extend vg0 /dev/…      [lvm/no-space]

The codes stand in [errors.md](errors.md). The exit code is 0, or says what kind of error it was:
`;

function section(words: string, { verb, spellings }: Command): string {
  const args = Object.entries(verb.args).map(([name, { about }]) => [placeholderOf(name), about]);
  return [
    `### sltv ${words}`,
    `${capital(verb.about)}. Role: ${verb.role}.`,
    indented(usageOf({ title: `sltv ${words}`, ...verb })),
    table('word', 'meaning', [...args, ...optionRows(verb.options, spellings)]),
    verb.gives === 'nothing' ? '' : `Shows ${Object.keys(verb.result).map(labelOf).join(', ')}.`,
    'For example:',
    indented(verb.example),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const indented = (line: string) => `    ${line}`;

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function table(left: string, right: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const lines = rows.map(([word = '', meaning = '']) => `| \`${word.replaceAll('|', '\\|')}\` | ${meaning} |`);
  return [`| ${left} | ${right} |`, '|---|---|', ...lines].join('\n');
}

if (import.meta.main) process.stdout.write(await cliPage());
