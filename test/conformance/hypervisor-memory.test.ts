// The Hypervisor that core's own tests use is held to what every Hypervisor is held to.
import { hypervisorConformance } from '../../core/testing/index.ts';
import { makeMemoryHypervisor } from '../fixtures/memory-hypervisor-subject.ts';
import { register } from './uvu.ts';

register(hypervisorConformance({ name: 'memory', make: async () => makeMemoryHypervisor() }));
