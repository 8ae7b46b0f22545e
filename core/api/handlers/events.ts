// What happens on this node, to whoever listens.
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import { type Calls, callOf } from '../calls.ts';
import type { EventService } from '../gen/sltv/v1/event_pb.ts';
import { optional, toEvent } from '../messages.ts';
import { eventsOfCall } from '../operation-events.ts';
import type { Daemon } from './daemon.ts';

export function eventHandlers(daemon: Daemon, calls: Calls): ServiceImpl<typeof EventService> {
  return {
    async *watchEvents({ after, since, follow, operation }, context) {
      const { signal } = callOf(context);
      if (operation !== '') {
        for await (const told of eventsOfCall(calls, operation, signal))
          yield { event: toEvent({ ...told, cursor: '' }) };
        return;
      }
      const wanted = { after: optional(after), since: since && timestampDate(since), follow };
      for await (const kept of daemon.events.read(wanted, signal)) yield { event: toEvent(kept) };
    },
  };
}
