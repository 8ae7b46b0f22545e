// What a caller's role lets them do, and which role a certificate leaves its holder.
import { coreErrors } from '../errors.ts';
import type { TcpListener } from '../kernel/listener.ts';
import { readSubject, type Subject } from '../kernel/subject.ts';
import { type Call, ROLES, type Role } from '../kernel/verb.ts';

/** Errors: `core/denied` when `what` needs a role that the caller has not. */
export function demandRole(what: string, least: Role, { caller }: Call): void {
  if (ROLES.indexOf(caller.role) >= ROLES.indexOf(least)) return;
  throw coreErrors('denied', `${what} needs the role ${least}, and ${caller.name} gives ${caller.role}`, {
    hint: 'use another socket of the daemon, or another certificate, or change the role under listen in sltv.config.ts',
  });
}

/** A certificate's attributes by their short names; one that is there several times has several values. */
export type Attributes = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The listener's role, or what the first of its `roles` that fits lowers it to. Attributes are compared whole, one by one: a
 * name that has another name's text inside it is another name. Who has several common names could pass for several, and gets
 * the least.
 */
export function roleOf(subject: Attributes, { role, roles }: Pick<TcpListener, 'role' | 'roles'>): Role {
  if (roles.length === 0) return role;
  const attributes = new Map(Object.entries(subject).map(([name, value]) => [name.toUpperCase(), [value].flat()]));
  if ((attributes.get('CN')?.length ?? 0) > 1) return 'viewer';
  const rule = roles.find((each) => fits(attributes, readSubject(each.subject)));
  return rule === undefined || ROLES.indexOf(rule.role) > ROLES.indexOf(role) ? role : rule.role;
}

/** What could not be read fits nobody; the config's schema lets no such words in. */
const fits = (
  attributes: ReadonlyMap<string, readonly (string | undefined)[]>,
  subject: Subject = [['', '']],
): boolean => subject.every(([name, value]) => attributes.get(name)?.includes(value) === true);
