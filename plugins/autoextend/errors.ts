// What can be wrong with what autoextend is asked.
import { errors } from 'sltv';

export const fail = errors('autoextend', {
  thick: 'refused',
  idle: 'refused',
  'one-setting': 'invalid',
  'bad-step': 'invalid',
  'bad-headroom': 'invalid',
});
