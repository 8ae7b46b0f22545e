// The Storage that core's own tests use is held to what every Storage is held to.
import { storageConformance } from '../../core/testing/index.ts';
import { memorySubject } from '../fixtures/memory-subject.ts';
import { register } from './uvu.ts';

register([
  ...storageConformance(memorySubject()),
  ...storageConformance({ ...memorySubject(undefined, true), name: 'memory with files' }),
]);
