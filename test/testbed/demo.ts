// `npm run demo`: boots a hypervisor host, starts the built executable in it and tells the main job as a story.
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { startDaemon } from './daemon.ts';
import { testbed } from './index.ts';
import { STORY, tell } from './story.ts';

const begun = performance.now();
const seconds = () => `${((performance.now() - begun) / 1000).toFixed(0)} s`;

console.log('sltv demo: building the executable …');
await execa('node', ['build.mjs'], { cwd: fileURLToPath(new URL('../..', import.meta.url)), stdio: 'inherit' });
console.log(`booting a hypervisor host with lvm2, libvirt and QEMU (${seconds()}) …`);
await using host = await testbed.host({ name: 'demo', disks: ['12G'] });
console.log(`the host is up (${seconds()}); its logs: ${host.directory}\n`);
console.log('$ sltv daemon &');
const daemon = await startDaemon(host);
console.log((await daemon.log()).trimEnd());
await tell(host, STORY, console.log);
console.log(`\nThat was it: ${STORY.length} steps, ${seconds()}, everything real, and the host is gone again.`);
