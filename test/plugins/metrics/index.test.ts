import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from 'valibot';
import {
  CommandFinished,
  type Disk,
  DiskPaused,
  DiskResumed,
  OperationFinished,
} from '../../../core/capabilities/disks.ts';
import { gauge, Measured, MetricSources } from '../../../core/capabilities/metrics.ts';
import { boot } from '../../../core/kernel/boot.ts';
import { createBus } from '../../../core/kernel/bus.ts';
import { definitionOf } from '../../../core/kernel/definition.ts';
import { definePlugin } from '../../../core/kernel/plugin.ts';
import metrics from '../../../plugins/metrics/index.ts';
import { keptLog, node, run, settled } from '../../core/kernel/kit.ts';
import { freePorts } from '../../fixtures/ports.ts';

/** What the options come to; undefined when they are wrong. */
function options(given: unknown) {
  const definition = definitionOf(metrics());
  if (typeof definition === 'string' || !definition.options) throw new Error('the plugin has options');
  const read = v.safeParse(definition.options, given);
  return read.success ? read.output : undefined;
}

/** A plugin that knows nothing of how metrics are written down. */
const mine = definePlugin({
  name: 'mine',
  api: 1,
  provides: { metrics: MetricSources },
  setup: () => ({
    provides: { metrics: { name: 'mine', collect: () => [gauge('sltv_mine_load', 'load', 0.5)] } },
  }),
});

async function booted() {
  const [port = 0] = await freePorts(1);
  const { log } = keptLog();
  const plugins = [settled(metrics(), options({ port })), settled(mine())];
  const up = await boot({ plugins, bus: createBus(log), node, run, log });
  const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return { ...up, scrape, port, [Symbol.asyncDispose]: () => up.stop() };
}

test('without options it listens on this host alone', () => {
  assert.equal(options({}), { address: '127.0.0.1', port: 9464, timeout: 5_000, seriesLimit: 10_000 });
});

test('an address that is none, a port that can’t be, and misspelt options are errors', () => {
  for (const given of [
    { address: 'localhost' },
    { port: 0 },
    { port: 70_000 },
    { port: 1.5 },
    { prot: 1 },
    { timeout: 0 },
  ])
    assert.is(options(given), undefined, JSON.stringify(given));
  assert.equal(options({ address: '::1', port: 1 }), { address: '::1', port: 1, timeout: 5_000, seriesLimit: 10_000 });
});

test('a plugin’s own metrics are served beside those of the process', async () => {
  await using daemon = await booted();
  const text = await daemon.scrape();
  assert.match(text, 'sltv_mine_load 0.5');
  assert.match(text, /^process_resident_memory_bytes \d+/m);
  assert.match(text, /^nodejs_eventloop_lag_seconds /m);
});

test('core’s events are counted', async () => {
  await using daemon = await booted();
  const finished = {
    operation: 'disk.create',
    subject: 'd',
    milliseconds: 30,
    requestId: 'request-7',
    caller: 'socket-7',
  };
  daemon.emit(OperationFinished, { ...finished, result: 'ok' });
  daemon.emit(OperationFinished, { ...finished, result: 'core/disk-exists' });
  daemon.emit(CommandFinished, { command: 'lvm lvcreate', code: 5, milliseconds: 120 });
  daemon.emit(CommandFinished, { command: 'virsh domstats', code: undefined, milliseconds: 120 });
  const text = await daemon.scrape();
  for (const line of [
    'sltv_operations_total{operation="disk.create",result="ok"} 1',
    'sltv_operations_total{operation="disk.create",result="core/disk-exists"} 1',
    'sltv_operation_duration_seconds_count{operation="disk.create"} 2',
    'sltv_commands_total{command="lvm lvcreate",status="5"} 1',
    'sltv_commands_total{command="virsh domstats",status="none"} 1',
    'sltv_command_duration_seconds_bucket{le="0.25",command="lvm lvcreate"} 1',
    'sltv_disk_extensions_total{automatic="true"} 0',
  ])
    assert.ok(text.includes(line), line);
  assert.not.match(text, /request-7|socket-7/);
});

test('a plugin’s verb goes by its own words, once it is certain that there is one', async () => {
  await using daemon = await booted();
  const call = { operation: 'plugin.call', milliseconds: 1, requestId: 'r', caller: 'c' };
  for (const [subject, result] of [
    ['autoextend set', 'ok'],
    ['autoextend set', 'autoextend/thick'],
    ['made up', 'core/unknown-verb'],
    ['core up', 'core/unknown-verb'],
    ['', 'core/input'],
  ] as const)
    daemon.emit(OperationFinished, { ...call, subject, result });
  const counted = (await daemon.scrape()).match(/^sltv_operations_total.*$/gm);
  assert.equal(counted, [
    'sltv_operations_total{operation="autoextend.set",result="ok"} 1',
    'sltv_operations_total{operation="autoextend.set",result="autoextend/thick"} 1',
    'sltv_operations_total{operation="plugin.call",result="core/unknown-verb"} 2',
    'sltv_operations_total{operation="plugin.call",result="core/input"} 1',
  ]);
});

test('a guest that stood still is counted when it does and when it runs again, with how long it took', async () => {
  await using daemon = await booted();
  assert.match(await daemon.scrape(), 'sltv_disk_pauses_total 0');
  const disk: Disk = {
    ...{ id: 'd1', name: 'd', pool: 'p', mode: 'thin', state: 'owned', path: '/dev/p/d', settings: {} },
    ...{ size: 1n, virtualSize: 1n, end: 1n, owner: undefined },
    ...{ createdOn: undefined, createdAt: undefined, lastExtendedAt: undefined },
  };
  daemon.emit(DiskPaused, { disk, vm: 'web', target: 'vda' });
  daemon.emit(DiskResumed, { disk, vm: 'web', target: 'vda', milliseconds: 400 });
  const text = await daemon.scrape();
  for (const line of ['disk_pauses_total 1', 'disk_resumes_total 1', 'disk_pause_duration_seconds_bucket{le="0.5"} 1'])
    assert.match(text, `sltv_${line}`);
});

test('what plugins measure is told by its spread', async () => {
  await using daemon = await booted();
  const of = { name: 'sltv_mine_wait_seconds', help: 'wait', labels: [], bounds: [1] };
  daemon.emit(Measured, { of, value: 0.5 });
  assert.match(await daemon.scrape(), 'sltv_mine_wait_seconds_bucket{le="1"} 1');
});

test('when the daemon stops, nobody listens any more', async () => {
  const daemon = await booted();
  await daemon.stop();
  const outcome = await daemon.scrape().catch(() => 'refused');
  assert.is(outcome, 'refused');
});

test.run();
