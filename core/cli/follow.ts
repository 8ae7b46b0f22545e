// One operation, followed to its end.
import type { Event } from '../client/index.ts';
import { coreErrors, KIND_NAMES, SltvError } from '../errors.ts';
import { formatSize } from '../units.ts';
import type { At, Reply } from './command.ts';
import { known } from './declared.ts';
import { timeFrom } from './values.ts';

interface Row {
  readonly time: Date;
  readonly subject: string;
  readonly done?: string;
  readonly stage: string;
}

/** A line for each change, on a terminal one that changes. Errors: the operation's own, which decides over the exit code. */
export async function* follow(id: string, at: At): AsyncIterable<Reply<Row>> {
  const { events } = await at.client();
  for await (const event of events.watch({ operation: id, follow: true }, at)) {
    const isLast = event.type === 'operation.ended';
    yield replyOf(event, isLast);
    const failure = isLast ? failureIn(event) : undefined;
    if (failure) throw failure;
    if (isLast) return;
  }
  throw coreErrors('no-daemon', `the daemon told no more of operation ${id}`, { hint: 'sltv operation list' });
}

function replyOf(event: Event, isLast: boolean): Reply<Row> {
  const { subject, message, time, values } = event;
  const [done, total] = [values.done, values.total].map((word) => (word === undefined ? undefined : BigInt(word)));
  const counted = done !== undefined && total !== undefined && total > 0n ? { done, total } : undefined;
  const stage = values.stage ?? message;
  const line = [values.operation, subject, counted && barOf(counted), stage].filter(Boolean).join('  ');
  const share = counted ? { done: `${percentOf(counted)}%` } : {};
  const row = { time: timeFrom(time) ?? new Date(0), subject, ...share, stage };
  return { message: { event }, rows: [row], bar: { text: line, isLast } };
}

interface Counted {
  readonly done: bigint;
  readonly total: bigint;
}

const percentOf = ({ done, total }: Counted): number => Number((done * 100n) / total);

/** `[######------------------]  25%  1 GiB of 4 GiB` */
function barOf(counted: Counted): string {
  const percent = percentOf(counted);
  const full = Math.round((percent * BAR) / 100);
  const sizes = `${formatSize(counted.done)} of ${formatSize(counted.total)}`;
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}] ${String(percent).padStart(3)}%  ${sizes}`;
}

/** Characters. */
const BAR = 24;

function failureIn({ values }: Event): SltvError | undefined {
  const { result = 'ok', kind = '', reason = '', hint } = values;
  if (result === 'ok') return undefined;
  return new SltvError(known(KIND_NAMES, kind, 'internal'), result, reason, hint ? { hint } : {});
}
