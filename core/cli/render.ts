// Replies for people and for machines.
import type { Field, Fields, Verb } from '../kernel/verb.ts';
import type { Fact, Reply } from './command.ts';
import { labelOf, shownIn, shownInFull } from './show.ts';
import { type Alignment, columns } from './table.ts';
import type { World } from './world.ts';

export interface Printing {
  readonly json: boolean;
  /** The first of what may be several. */
  readonly first: boolean;
  /** One of a stream's replies, or of those of a list that is watched. */
  readonly comesAgain: boolean;
  /** Of a stream's columns: each reply adds to it, so that the next one stands below it. */
  readonly widths: number[];
}

/** Prints one reply. Of a stream, the first one brings the headings; a list that is watched replaces the one before it. */
export function printReply(
  world: World,
  verb: Verb,
  reply: Reply,
  { json, first, comesAgain, widths }: Printing,
): void {
  if (json) {
    world.stdout.write(`${JSON.stringify(reply.message, undefined, comesAgain ? undefined : 2)}\n`);
  } else {
    if (reply.bar && isScreen(world)) {
      world.stdout.write(`${LINE}${reply.bar.text}${reply.bar.isLast ? '\n' : ''}`);
      return;
    }
    const isWatched = comesAgain && verb.gives === 'list';
    const lines = linesOf(verb, reply, first || isWatched, boldIn(world), widths);
    const before = isWatched ? parting(world, first) : '';
    if (lines.length > 0) world.stdout.write(`${before}${lines.join('\n')}\n`);
  }
  for (const remark of reply.remarks ?? []) world.stderr.write(`sltv: ${remark}\n`);
}

/** What stands between a table and the one before it: on a terminal it takes the other's place. */
function parting(world: World, first: boolean): string {
  if (isScreen(world)) return CLEAR;
  return first ? '' : '\n';
}

/** Whether what stands there can be written over. */
const isScreen = ({ isTTY, env }: World): boolean => isTTY && env.TERM !== 'dumb';

/** The line's beginning, and nothing from there on. */
const LINE = '\r\x1b[K';
/** Home, and nothing from there on. */
const CLEAR = '\x1b[H\x1b[2J';

type Bold = (text: string) => string;

/** Bold on a terminal that shows it and whose owner did not say NO_COLOR (https://no-color.org). */
function boldIn({ isTTY, env }: World): Bold {
  const plain = !isTTY || Boolean(env.NO_COLOR) || env.TERM === 'dumb';
  return plain ? (text) => text : (text) => `\x1b[1m${text}\x1b[22m`;
}

function linesOf(verb: Verb, reply: Reply, first: boolean, bold: Bold, widths: number[]): string[] {
  const rows: readonly Row[] = reply.rows ?? [];
  if (reply.said !== undefined) return [reply.said];
  if (verb.gives === 'item') return rows.flatMap((row) => itemLines(verb.result, row, reply.more ?? [], bold));
  return verb.gives === 'nothing' ? [] : table(verb, rows, bold, first, widths);
}

/** Values by the names of a verb's result. */
type Row = Readonly<Record<string, unknown>>;

function itemLines(result: Fields, row: Row, more: readonly Fact[], bold: Bold): string[] {
  const declared = Object.entries(result).map(([name, field]) => ({ name, field, value: row[name] }));
  const known = [...declared, ...more].filter(({ field, value }) => !(field.optional && isUnset(value)));
  const pairs = known.flatMap(({ name, field, value }) =>
    shownInFull(field, value).map((line, i) => [i === 0 ? `${labelOf(name)}:` : '', line]),
  );
  return columns(pairs).map((line) => line.replace(/^\S[^:]*:/, bold));
}

const isUnset = (value: unknown) => value === undefined || value === '';

function table({ result, gives }: Verb, rows: readonly Row[], bold: Bold, headed: boolean, widths: number[]): string[] {
  const fields = Object.entries(result);
  const headings = fields.map(([name]) => labelOf(name).toUpperCase());
  const cells = rows.map((row) => fields.map(([name, field]) => shownIn(field, row[name])));
  const alignment = fields.map(([, { type }]): Alignment => (type === 'size' || type === 'count' ? 'right' : 'left'));
  const isStream = gives === 'stream';
  // The last one has nothing beside it that could move.
  if (isStream && headed) widths.push(...fields.slice(0, -1).map(([, field]) => leastWidth(field)));
  const [heading = '', ...lines] = columns([headings, ...cells], alignment, isStream ? widths : []);
  return headed ? [bold(heading), ...lines] : lines;
}

/** Characters. Of what a stream will tell nothing is known yet, so there is room for names as they mostly are. */
const leastWidth = ({ type, optional }: Field): number => (type === 'text' && !optional ? 24 : 8);
