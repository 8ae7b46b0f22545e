// sltv(1), from the declarations. The Debian package has it.
import { KINDS } from '../errors.ts';
import type { Command } from './command.ts';
import { globalOptions } from './globals.ts';
import { optionRows } from './help.ts';
import { allCommands } from './nouns.ts';
import { placeholderOf, usageOf } from './usage.ts';

/** The whole page, in the language of man(7). */
export async function manPage(version: string): Promise<string> {
  const commands = Object.entries(await allCommands());
  return [
    `.TH SLTV 1 "" "sltv ${version}" "User Commands"`,
    '.SH NAME',
    'sltv \\- virtual disks for the VMs of a KVM host',
    '.SH SYNOPSIS',
    plain('sltv NOUN VERB [ARGUMENT…] [--option…]'),
    '.SH DESCRIPTION',
    plain(
      'sltv makes, grows, attaches and removes disks of virtual machines, on LVM or in directories, under running guests. The same program is the daemon (sltv daemon) and its client, depending on the verb.',
    ),
    '.PP',
    plain(
      'Sizes are 512M, 10G, 1.5T: B, K, M, G, T in powers of 1024, and bytes without a unit. Durations are 500ms, 30s, 2m, 1h. A disk is POOL/NAME; the name alone serves while no other pool has it.',
    ),
    '.SH OPTIONS',
    ...terms(optionRows(globalOptions)),
    '.SH VERBS',
    ...commands.flatMap(([words, command]) => section(words, command)),
    '.SH EXIT STATUS',
    ...terms([['0', 'done'], ...Object.entries(KINDS).map(([kind, { exit }]) => [String(exit), kind])]),
    '.SH FILES',
    ...terms([
      ['/etc/sltv/sltv.config.ts', 'the config; without it the daemon uses what the host has (sltv config show)'],
      ['/run/sltv/sltvd.sock', "the daemon's socket"],
      ['/etc/default/sltv', "the daemon's environment under systemd"],
    ]),
    '.SH SEE ALSO',
    plain('lvm(8), virsh(1), qemu-img(1)'),
  ]
    .join('\n')
    .concat('\n');
}

function section(words: string, { verb, spellings }: Command): readonly string[] {
  const args = Object.entries(verb.args).map(([name, { about }]) => [placeholderOf(name), about]);
  return [
    `.SS ${plain(`sltv ${words}`)}`,
    plain(capital(verb.about) + (verb.role === 'viewer' ? '.' : `. Needs the role ${verb.role}.`)),
    '.PP',
    `.B ${plain(usageOf({ title: `sltv ${words}`, ...verb }))}`,
    ...terms([...args, ...optionRows(verb.options, spellings)]),
    '.PP',
    'For example:',
    '.PP',
    '.nf',
    `.RS\n${plain(verb.example)}\n.RE`,
    '.fi',
  ];
}

const terms = (rows: readonly (readonly string[])[]): readonly string[] =>
  rows.flatMap(([term = '', meaning = '']) => ['.TP', `.B ${plain(term)}`, plain(meaning)]);

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Text as it shall be read: nothing in it is a request, a hyphen is a hyphen, and what is no ASCII has its name. */
const plain = (text: string) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^(?=[.'])/gm, '\\&');
