// What can go wrong in a folder pool; core and its callers look at the kinds.
import { errors } from 'sltv';

export const fail = errors('folder-pool', {
  missing: 'not-found',
  taken: 'exists',
  'bad-name': 'invalid',
  full: 'exhausted',
  open: 'busy',
  'turn-over': 'internal',
});

export const missing = (pool: string, name: string) =>
  fail('missing', `there is no volume ${pool}/${name}`, { hint: 'sltv disk list' });
