// libvirt's Hypervisor over a virsh that says what the real one said; test/testbed/hypervisor.test.ts runs the same suite
// over the real one.
import { hypervisorConformance } from '../../core/testing/index.ts';
import { makeFakeLibvirt } from '../fixtures/fake-libvirt.ts';
import { register } from './uvu.ts';

register(hypervisorConformance({ name: 'libvirt (recorded)', make: makeFakeLibvirt }));
