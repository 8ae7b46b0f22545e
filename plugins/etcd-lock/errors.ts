// What can go wrong between this node, its locks and the other nodes.
import { errors } from 'sltv';

export const fail = errors('etcd-lock', {
  unreachable: 'unavailable',
  login: 'unavailable',
  certificate: 'unavailable',
  'bad-file': 'invalid',
  'first-start': 'unavailable',
  'bad-state': 'refused',
  halted: 'unavailable',
  'own-boot-over': 'unavailable',
  'earlier-boot': 'unavailable',
  'name-taken': 'refused',
  lost: 'unavailable',
  stopping: 'unavailable',
  'gave-up': 'cancelled',
  'nothing-to-recover': 'refused',
  'node-down': 'unavailable',
  'no-answer': 'unavailable',
  'no-such-question': 'unsupported',
  'bad-question': 'invalid',
  'bad-answer': 'internal',
  'answer-failed': 'internal',
  'own-boot': 'refused',
  'node-up': 'refused',
  'node-holds': 'refused',
  'bad-entry': 'internal',
});
