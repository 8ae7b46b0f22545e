// A hundred extensions under a guest at full speed, and the same guest under the polling that hosts had before.
import { testbed } from '../test/testbed/index.ts';
import { type Outcome, outrun, POLLING, SMALL_STEPS } from '../test/testbed/outrun.ts';
import { type Line, report } from './measure.ts';

const GOAL = 100;
const MEBIBYTES = 39 * 1024;

// One processor for the guest, one for who keeps ahead of it.
await using host = await testbed.host({ name: 'outrun', disks: ['48G'], memory: 1024, cpus: 2 });
await host.run('vgcreate -q vg-sltv /dev/vda');
const guest = await host.guest('web');
const ahead = await outrun(host, guest, SMALL_STEPS, MEBIBYTES);
const polled = await outrun(host, guest, POLLING, 4 * 1024);
report('outrun', [
  { what: `extensions missing of ${GOAL}, events`, value: Math.max(0, GOAL - ahead.extensions), unit: '', goal: 0 },
  pauses('pauses, events', ahead, 0),
  pauses('pauses, polling every 15 s (the control)', polled),
]);

function pauses(what: string, outcome: Outcome, goal?: number): Line {
  const beside = { extensions: outcome.extensions, 'MiB/s': outcome.megabytesPerSecond.toFixed(0) };
  return { what, value: outcome.pauses, unit: '', ...(goal === undefined ? {} : { goal }), beside, raw: outcome };
}
