// Has ready what the tests of deploy/docker begin with, so that they wait for no network. Run by setup.mjs; does nothing when it is there.
import { join } from 'node:path';
import { begun } from './chroot.ts';
import { stagesOf } from './dockerfile.ts';

for (const stage of stagesOf(join(import.meta.dirname, '../../deploy/docker/Dockerfile'))) await begun(stage);
