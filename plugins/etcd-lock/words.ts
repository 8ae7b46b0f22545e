// What etcd, gRPC and TLS say, in our words where their meaning is known.
import { SltvError } from 'sltv';
import { fail } from './errors.ts';

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** etcd's ErrLeaseNotFound. */
export const isLeaseGone = (error: unknown): boolean => wordsOf(error).includes('requested lease not found');

/** Gives a failed call its meaning; etcd's own words stay as the cause. */
export function inOurWords(error: unknown, endpoints: readonly string[]): SltvError {
  if (error instanceof SltvError) return error;
  const words = wordsOf(error);
  const where = endpoints.join(', ');
  const known = MEANINGS.find(({ when }) => when.test(words));
  if (known) return fail(known.code, `${known.say} (${where})`, { hint: known.hint, cause: error });
  return fail('unreachable', `etcd does not answer: ${where}`, {
    hint: `etcdctl --endpoints=${endpoints.join(',')} endpoint health`,
    cause: error,
  });
}

const MEANINGS = [
  {
    when: /authentication failed|user name is empty|user name not found|invalid auth token|permission denied/,
    code: 'login',
    say: 'etcd does not let sltv in with this username and password',
    hint: 'username, and password or passwordFile, of etcdLock in the config; the user needs read and write on the prefix',
  },
  {
    when: /certificate|SSL|TLS|handshake|ERR_OSSL|altnames|self.signed/i,
    code: 'certificate',
    say: 'etcd and sltv do not accept each other’s certificates',
    hint: 'tls.ca, tls.cert and tls.key of etcdLock in the config; an endpoint that begins with https:// needs them',
  },
] as const;
