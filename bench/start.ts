// How long a command takes from start to end, against the least that its Node could do.
import { join } from 'node:path';
import { makeDirectory, startDaemon } from './daemon.ts';
import { EXECUTABLE, measurePairs, ROOT, ratioLine, report, timeProcess } from './measure.ts';

const NODE = join(ROOT, 'node_modules/.bin/node');
const ROUNDS = 30;

using directory = makeDirectory();
await using daemon = await startDaemon(directory.path, 'dir({ pools: [] }), localLock()');

const node = () => timeProcess(NODE, ['-e', '0']);
const version = await measurePairs(ROUNDS, () => timeProcess(EXECUTABLE, ['--version']), node);
const list = await measurePairs(
  ROUNDS,
  () => timeProcess(EXECUTABLE, ['disk', 'list', '--addr', daemon.addr], { NO_COLOR: '1' }),
  node,
);
report('start', [
  ratioLine('sltv --version / node -e 0', version, 1.35),
  ratioLine('sltv disk list / node -e 0', list, 3),
]);
