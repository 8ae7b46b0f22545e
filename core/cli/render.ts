// Replies for people and for machines.
import type { Fields, Gives, Verb } from '../kernel/verb.ts';
import type { Reply } from './command.ts';
import { labelOf, shownIn, shownInFull } from './show.ts';
import { type Alignment, columns } from './table.ts';
import type { World } from './world.ts';

/** Prints one reply; of a stream, the first one brings the headings. */
export function printReply(world: World, verb: Verb, reply: Reply, options: { json: boolean; first: boolean }): void {
  if (options.json) {
    world.stdout.write(`${JSON.stringify(reply.message, undefined, verb.gives === 'stream' ? undefined : 2)}\n`);
  } else {
    const lines = linesOf(verb, reply, options.first, boldIn(world));
    if (lines.length > 0) world.stdout.write(`${lines.join('\n')}\n`);
  }
  for (const remark of reply.remarks ?? []) world.stderr.write(`sltv: ${remark}\n`);
}

type Bold = (text: string) => string;

/** Bold on a terminal that shows it and whose owner did not say NO_COLOR (https://no-color.org). */
function boldIn({ isTTY, env }: World): Bold {
  const plain = !isTTY || Boolean(env.NO_COLOR) || env.TERM === 'dumb';
  return plain ? (text) => text : (text) => `\x1b[1m${text}\x1b[22m`;
}

function linesOf(verb: Verb, reply: Reply, first: boolean, bold: Bold): string[] {
  const rows: readonly Row[] = reply.rows ?? [];
  if (reply.said !== undefined) return [reply.said];
  return LAYOUTS[verb.gives](verb.result, rows, bold, first);
}

/** Values by the names of a verb's result. */
type Row = Readonly<Record<string, unknown>>;

const LAYOUTS: Readonly<Record<Gives, (result: Fields, rows: readonly Row[], bold: Bold, first: boolean) => string[]>> =
  {
    item: (result, rows, bold) => rows.flatMap((row) => itemLines(result, row, bold)),
    list: table,
    stream: table,
    nothing: () => [],
  };

function itemLines(result: Fields, row: Row, bold: Bold): string[] {
  const known = Object.entries(result).filter(([name, field]) => !(field.optional && isUnset(row[name])));
  const pairs = known.flatMap(([name, field]) =>
    shownInFull(field, row[name]).map((line, i) => [i === 0 ? `${labelOf(name)}:` : '', line]),
  );
  return columns(pairs).map((line) => line.replace(/^\S[^:]*:/, bold));
}

const isUnset = (value: unknown) => value === undefined || value === '';

function table(result: Fields, rows: readonly Row[], bold: Bold, headed: boolean): string[] {
  const fields = Object.entries(result);
  const headings = fields.map(([name]) => labelOf(name).toUpperCase());
  const cells = rows.map((row) => fields.map(([name, field]) => shownIn(field, row[name])));
  const alignment = fields.map(([, { type }]): Alignment => (type === 'size' || type === 'count' ? 'right' : 'left'));
  const [heading = '', ...lines] = columns([headings, ...cells], alignment);
  return headed ? [bold(heading), ...lines] : lines;
}
