// sltv operation …
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';
import { follow } from './follow.ts';
import { timeFrom } from './values.ts';

const list = command(
  verb({
    about: 'list what the daemon has in hand now, the oldest first',
    example: 'sltv operation list --watch',
    role: 'viewer',
    args: {},
    options: {},
    gives: 'list',
    result: {
      id: { type: 'text', about: 'its request id' },
      operation: { type: 'text', about: 'what is done' },
      subject: { type: 'text', about: 'what it is about', optional: true },
      since: { type: 'time', about: 'when it began' },
      caller: { type: 'text', about: 'who asked for it' },
      stage: { type: 'text', about: 'what is done or waited for just now', optional: true },
    },
  }),
  async (_, at) => {
    const operations = await (await at.client()).operations.list(at);
    const rows = operations.map(({ requestId, operation, subject, begunAt, caller, stage }) => ({
      id: requestId,
      operation,
      subject,
      since: timeFrom(begunAt) ?? new Date(0),
      ...(stage ? { stage } : {}),
      caller,
    }));
    return { message: { operations }, rows };
  },
);

const watch = command(
  verb({
    about: 'follow one operation until it ends, with its result as the exit code',
    example: 'sltv operation watch 0c5b3f43-8f6d-4a58-8d0a-3c9c2e9f0b6e',
    role: 'viewer',
    args: { id: { type: 'text', about: 'its id, as sltv operation list shows it' } },
    options: {},
    gives: 'stream',
    result: {
      time: { type: 'time', about: 'when' },
      subject: { type: 'text', about: 'what it is about' },
      done: { type: 'text', about: 'how much of it is done, where that is known', optional: true },
      stage: { type: 'text', about: 'what is done or waited for, and last how it ended' },
    },
  }),
  ({ id }, at) => follow(id, at),
);

const cancel = command(
  verb({
    about: 'end what an operation has not committed yet; what it has goes on to its end',
    example: 'sltv operation cancel 0c5b3f43-8f6d-4a58-8d0a-3c9c2e9f0b6e',
    role: 'operator',
    args: { id: { type: 'text', about: 'its id, as sltv operation list shows it' } },
    options: {},
    gives: 'nothing',
    result: {},
  }),
  async ({ id }, at) => {
    await (await at.client()).operations.cancel({ requestId: id }, at);
    return { message: {}, said: `operation ${id} is cancelled` };
  },
);

export const operation: Commands = { 'operation list': list, 'operation watch': watch, 'operation cancel': cancel };
