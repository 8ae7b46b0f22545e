// Notes as LVM tags: `sltv:key=value`, with bytes outside LVM's alphabet as `=XX`.
import type { Notes } from 'sltv';
import { lvmErrors } from './errors.ts';

const PREFIX = 'sltv:';
/** Characters, the prefix included. */
const LONGEST = 1024;

/** The notes among an object's tags. Tags that are not ours are left out here, and never touched. */
export function notesOf(tags: readonly string[]): Notes {
  const notes = new Map<string, string[]>();
  for (const { key, value } of tags.flatMap(noteOf)) notes.set(key, [...(notes.get(key) ?? []), value]);
  return Object.fromEntries(notes);
}

/** The tags that say these notes. Errors: `lvm/bad-note` for one that LVM can't keep. */
export function tagsOf(notes: Notes): string[] {
  return pairs(notes).map(tagOf);
}

/**
 * What to add to an object's tags and what to take away, so that it has the one's notes and not the other's: only what
 * makes a difference, however its writer spelt it. What is to be added stays. Errors: `lvm/bad-note`.
 */
export function tagChanges(tags: readonly string[], { add = {}, drop = {} }: { add?: Notes; drop?: Notes }) {
  const present = notesOf(tags);
  const lacking = pairs(add).filter(({ key, value }) => !has(present, key, value));
  const dropped = tags.filter((tag) => says(tag, drop) && !says(tag, add));
  return { add: lacking.map(tagOf), drop: dropped };
}

interface Note {
  readonly key: string;
  readonly value: string;
}

function pairs(notes: Notes): Note[] {
  return Object.entries(notes).flatMap(([key, values]) => values.map((value) => ({ key, value })));
}

const says = (tag: string, notes: Notes): boolean => noteOf(tag).some(({ key, value }) => has(notes, key, value));

function has(notes: Notes, key: string, value: string): boolean {
  return Object.hasOwn(notes, key) && (notes[key]?.includes(value) ?? false);
}

function tagOf({ key, value }: Note): string {
  if (!KEY.test(key)) {
    throw lvmErrors('bad-note', `'${key}' can't be a note's key: letters, digits and _+.-/!:&# only`);
  }
  const tag = `${PREFIX}${key}=${spell(value)}`;
  if (tag.length > LONGEST) {
    throw lvmErrors('bad-note', `the note '${key}' has ${tag.length} characters as a tag, LVM keeps ${LONGEST}`);
  }
  return tag;
}

function noteOf(tag: string): Note[] {
  const separator = tag.indexOf('=');
  if (!tag.startsWith(PREFIX) || separator <= PREFIX.length) return [];
  return [{ key: tag.slice(PREFIX.length, separator), value: unspell(tag.slice(separator + 1)) }];
}

/** LVM's alphabet for tags but `=`, which parts key and value and begins an escaped byte. */
const KEY = /^[A-Za-z0-9_+.\-/!:&#]+$/;
const OUTSIDE = /[^A-Za-z0-9_+.\-/!:&#]/gu;
const ESCAPED = /(?:=[0-9A-Fa-f]{2})+/g;

function spell(value: string): string {
  return value.replace(OUTSIDE, (character) => hex(Buffer.from(character)));
}

function hex(bytes: Buffer): string {
  return [...bytes].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function unspell(text: string): string {
  return text.replace(ESCAPED, (run) => Buffer.from(run.replaceAll('=', ''), 'hex').toString());
}
