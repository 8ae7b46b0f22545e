// How one call goes, as events for who follows it.
import { coreErrors, type SltvError } from '../errors.ts';
import type { Told } from '../kernel/capability.ts';
import type { Progress } from '../kernel/verb.ts';
import { formatSize } from '../units.ts';
import type { Calls, InHand } from './calls.ts';
import type { Ended } from './course.ts';

/** Until it has ended. Errors: `core/operation-missing`, the signal's reason. */
export async function* eventsOfCall(calls: Calls, requestId: string, signal: AbortSignal): AsyncIterable<Told> {
  const found = calls.find(requestId);
  if (found === undefined) throw missing(requestId);
  for await (const step of found.course.follow(signal))
    yield 'stage' in step ? progressed(found, step) : ended(found, step);
}

export const missing = (requestId: string): SltvError =>
  coreErrors('operation-missing', `no call ${requestId} is in hand`, {
    hint: 'it may have ended: sltv operation list shows those that have not',
  });

function progressed(found: InHand, { stage, done, total }: Progress): Told {
  const isCounted = done !== undefined && total !== undefined;
  return told(
    'operation.progress',
    found,
    isCounted ? `${stage}: ${formatSize(done)} of ${formatSize(total)}` : stage,
    {
      stage,
      ...(isCounted ? { done, total } : {}),
    },
  );
}

/** With all that the caller was told of a failure. */
function ended(found: InHand, { error, milliseconds }: Ended): Told {
  return told('operation.ended', found, error === undefined ? 'is done' : `failed: ${error.message}`, {
    result: error?.code ?? 'ok',
    milliseconds: Math.round(milliseconds),
    ...(error === undefined ? {} : { kind: error.kind, reason: error.message, hint: error.hint ?? '' }),
  });
}

function told(type: string, { call, operation, subject }: InHand, message: string, values: Told['values']): Told {
  const which = { operation, requestId: call.requestId };
  return { type, time: new Date(), subject: subject || operation, message, values: { ...which, ...values } };
}
