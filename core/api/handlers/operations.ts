// The calls in hand, and their end.
import type { ServiceImpl } from '@connectrpc/connect';
import { type Calls, callOf } from '../calls.ts';
import type { OperationService } from '../gen/sltv/v1/operation_pb.ts';
import { named, toOperation } from '../messages.ts';
import { missing } from '../operation-events.ts';

export function operationHandlers(calls: Calls): ServiceImpl<typeof OperationService> {
  return {
    // Whoever asks knows of his own call.
    listOperations: (_request, context) => {
      const own = callOf(context);
      return { operations: calls.inHand().flatMap((each) => (each.call === own ? [] : toOperation(each))) };
    },

    cancelOperation: ({ requestId }, context) => {
      if (calls.cancel(named(requestId, 'request_id'), callOf(context).caller)) return {};
      throw missing(requestId);
    },
  };
}
