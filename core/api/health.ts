// Whether this daemon takes calls, in the words of gRPC's health protocol.
import type { ServiceImpl } from '@connectrpc/connect';
import { coreErrors } from '../errors.ts';
import { callOf } from './calls.ts';
import { type Health as Service, HealthCheckResponse_ServingStatus as Status } from './gen/grpc/health/v1/health_pb.ts';

export interface Health {
  readonly handlers: ServiceImpl<typeof Service>;
  /** From now on calls are taken. */
  ready(): void;
  /** From now on none is: whoever watches is told so, and let go. */
  stop(): void;
}

/** `services`: the names that may be asked for, beside the empty one, which is the whole daemon. */
export function createHealth(services: readonly string[]): Health {
  const known = new Set(['', ...services]);
  let present: Status = Status.NOT_SERVING;
  let isStopped = false;
  let change = Promise.withResolvers<void>();
  const tell = (status: Status) => {
    present = status;
    change.resolve();
    change = Promise.withResolvers();
  };
  return {
    ready: () => tell(Status.SERVING),
    stop() {
      isStopped = true;
      tell(Status.NOT_SERVING);
    },
    handlers: {
      check({ service }) {
        if (known.has(service)) return { status: present };
        throw coreErrors('service-missing', `this daemon has no service ${service}`, {
          hint: `leave it empty for the whole daemon, or ask for one of ${services.join(', ')}`,
        });
      },
      async *watch({ service }, context) {
        const { signal } = callOf(context);
        const gone = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => gone.resolve(), { once: true });
        while (!signal.aborted) {
          const changed = change.promise;
          yield { status: known.has(service) ? present : Status.SERVICE_UNKNOWN };
          if (isStopped) return;
          await Promise.race([changed, gone.promise]);
        }
      },
    },
  };
}
