// sltv events
import type { Event, WatchEventsRequest } from '../client/index.ts';
import { coreErrors, SltvError } from '../errors.ts';
import { type Input, verb } from '../kernel/verb.ts';
import { parseDuration } from '../units.ts';
import type { At, Command, Commands, Reply } from './command.ts';
import { timeFrom } from './values.ts';

const show = verb({
  about: 'show what has happened on this node lately, and what happens',
  example: 'sltv events --follow --since 10m',
  role: 'viewer',
  args: {},
  options: {
    follow: { type: 'flag', about: 'go on with what will happen, until Ctrl-C, also when the daemon is started anew' },
    since: {
      type: 'text',
      about: 'only what is newer: 10m, 2026-01-31T18:30:00Z, or a cursor from --json',
      optional: true,
    },
  },
  gives: 'stream',
  result: {
    time: { type: 'time', about: 'when' },
    event: { type: 'text', about: 'what kind, such as disk.extended' },
    subject: { type: 'text', about: 'what it happened to' },
    message: { type: 'text', about: 'what happened' },
  },
});

const listen: Command = {
  verb: show,
  spellings: {},
  // `parse` gives every value the type that the declaration says.
  run: (input, at) => events(input as Input<typeof show>, at),
};

export const eventCommands: Commands = { events: listen };

/** Ctrl-C is how following ends, and no error. */
async function* events({ follow = false, since }: Input<typeof show>, at: At): AsyncIterable<Reply> {
  let wanted: WatchEventsRequest = { ...readSince(since), follow };
  let isKnown = false;
  const client = await at.client();
  while (!at.signal.aborted) {
    try {
      for await (const event of client.events.watch(wanted, at)) {
        isKnown = true;
        wanted = { after: event.cursor, follow };
        yield replyOf(event);
      }
      if (!follow) return;
    } catch (error) {
      if (follow && at.signal.aborted) return;
      const isPassing = error instanceof SltvError && error.kind === 'unavailable';
      // Of a daemon that was never there nothing is expected.
      if (!follow || !isPassing || (!isKnown && error.code === 'core/no-daemon')) throw error;
      isKnown = true;
    }
    await at.world.pause(PAUSE, at.signal).catch(() => {});
  }
}

/** Milliseconds until the daemon is asked again. */
const PAUSE = 1_000;

function replyOf(event: Event): Reply {
  const { type, subject, message, time } = event;
  return { message: { event }, rows: [{ time: timeFrom(time), event: type, subject, message }] };
}

function readSince(word: string | undefined): WatchEventsRequest {
  if (word === undefined) return {};
  if (/^\d+(\.\d+)?\s*[a-z]+$/.test(word)) return { since: new Date(Date.now() - parseDuration(word)).toISOString() };
  if (/^\d{4}-/.test(word)) {
    const time = new Date(word);
    if (!Number.isNaN(time.getTime())) return { since: time.toISOString() };
  } else if (/-\d+$/.test(word)) return { after: word };
  throw coreErrors('input', `'${word}' is neither a time, nor how long ago, nor an event's cursor`, {
    hint: 'write --since 10m, --since 2026-01-31T18:30:00Z, or a cursor from sltv events --json',
  });
}
