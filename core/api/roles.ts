// What a caller's role lets them do.
import { coreErrors } from '../errors.ts';
import type { Call, Role } from '../kernel/verb.ts';

/** Each includes the ones before it. */
const ORDER: readonly Role[] = ['viewer', 'operator', 'admin'];

/** Errors: `core/denied` when `what` needs a role that the caller has not. */
export function demandRole(what: string, least: Role, { caller }: Call): void {
  if (ORDER.indexOf(caller.role) >= ORDER.indexOf(least)) return;
  throw coreErrors('denied', `${what} needs the role ${least}, and ${caller.name} gives ${caller.role}`, {
    hint: 'use another socket of the daemon, or change the role of this one under listen in sltv.config.ts',
  });
}
