// What it costs that a VG has several writers: its lock, their taking turns, and their taking over from who has died.
import { measureCreates } from './cluster/creates.ts';
import { measureLocks } from './cluster/locks.ts';
import { measureTakeovers } from './cluster/takeovers.ts';
import { report } from './measure.ts';

report('cluster', [
  await measureLocks(1),
  await measureLocks(3),
  ...(await measureCreates()),
  ...(await measureTakeovers()),
]);
