// Listing many disks: a whole `sltv disk list` against one bare lvs that reads the same.
import { execFileSync } from 'node:child_process';
import { makeDirectory, startDaemon } from './daemon.ts';
import { makeVolumes } from './many-volumes.ts';
import { EXECUTABLE, measurePairs, ratioLine, report, timeProcess } from './measure.ts';

const COUNT = 1000;
const ROUNDS = 20;
const MiB = 1024 * 1024;

// As on a host that was booted since the executable came there. The kernel maps a file that was just written in larger pieces,
// and some 16 MiB of it that nobody touches would count as the daemon's resident memory.
execFileSync('dd', [`of=${EXECUTABLE}`, 'count=0', 'conv=notrunc,fdatasync', 'oflag=nocache'], { stdio: 'ignore' });
using directory = makeDirectory();
using volumes = makeVolumes(directory.path, 'bench', COUNT);
await using daemon = await startDaemon(directory.path, `lvm({ vgs: ['${volumes.vg}'] }), localLock()`, volumes.env);

const list = () => timeProcess(EXECUTABLE, ['disk', 'list', '--addr', daemon.addr], { NO_COLOR: '1' });
const lvs = () =>
  timeProcess('lvs', ['--units', 'b', '-o', 'lv_name,lv_size,lv_tags,lv_time,lv_host', volumes.vg], volumes.env);
const touch = (round: number) =>
  timeProcess('lvchange', ['-q', '--addtag', `bench${round}`, `${volumes.vg}/disk-0000`], volumes.env);

const { disks } = await daemon.client.sltv.listDisks({});
if (disks.length !== COUNT) throw new Error(`${disks.length} disks are listed, there are ${COUNT}`);

const before = volumes.commands();
const unchanged = await measurePairs(ROUNDS, list, lvs);
const readAgain = volumes.commands() - before;
const changed = await measurePairs(
  ROUNDS,
  (round) => {
    touch(round);
    return list();
  },
  lvs,
);
report('list', [
  ratioLine(`sltv disk list of ${COUNT} / lvs, nothing changed`, unchanged, 1.3),
  // No goal: it needs a report of its own, beside the start of a process.
  ratioLine(`sltv disk list of ${COUNT} / lvs, after a change by another host`, changed),
  { what: `lvm commands for ${ROUNDS} lists while nothing changed`, value: readAgain, unit: '', goal: 0 },
  { what: "the daemon's resident memory after all that", value: daemon.memory() / MiB, unit: 'MiB', goal: 120 },
]);
