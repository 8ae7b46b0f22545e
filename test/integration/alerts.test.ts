// Each alert of deploy/prometheus fires when it should, and clears: promtool runs the rules over made-up series, minute by minute.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { promtool } from '../fixtures/prometheus.ts';

const ROOT = join(import.meta.dirname, '../..');
const RULES = join(ROOT, 'deploy/prometheus/sltv.rules.yml');
const TEXT = readFileSync(RULES, 'utf8');
const PAGE = readFileSync(join(ROOT, 'docs/monitoring.md'), 'utf8');
const ALERTS = [...TEXT.matchAll(/^ {6}- alert: (\w+)$/gm)].map(([, name = '']) => name);

interface Trial {
  /** By series, what it is minute by minute, as promtool writes it: 5x3 is 5 in that minute and the three after it. */
  readonly series: Readonly<Record<string, string>>;
  /** Minutes at which it has to fire, and not to. */
  readonly fires: number;
  readonly clear: readonly number[];
  readonly labels: Readonly<Record<string, string>>;
}

const pool = { instance: 'a', pool: 'vg' };
const disk = { ...pool, disk: 'd' };
const a = { instance: 'a' };
const trial = (series: Trial['series'], fires: number, clear: readonly number[], labels: Trial['labels']): Trial => {
  return { series, fires, clear, labels };
};

const TRIALS: Readonly<Record<string, Trial>> = {
  SltvDaemonDown: trial({ 'up{job="sltv"}': '1x4 0x10 1x10' }, 10, [4, 6, 20], { ...a, job: 'sltv' }),
  // 100 GB that shrink by 100 MB a minute for seven hours, and then stay.
  SltvPoolFullWithinDay: trial(
    { 'sltv_pool_free_bytes{pool="vg"}': '100000000000-100000000x420 58000000000x600' },
    420,
    [20, 840],
    pool,
  ),
  SltvPoolBelowReserve: trial(
    { 'sltv_pool_free_bytes{pool="vg"}': '10x3 1x10 10x10', 'sltv_pool_reserve_bytes{pool="vg"}': '5x30' },
    10,
    [3, 6, 20],
    pool,
  ),
  SltvGuestPaused: trial(
    { 'sltv_autoextend_disk_held{pool="vg",disk="d",reason="paused"}': '_x3 1x3 stale' },
    4,
    [2, 9],
    { ...disk, reason: 'paused' },
  ),
  SltvGuestStoodStill: trial({ sltv_disk_pauses_total: '0x5 1x40' }, 8, [5, 30], a),
  SltvDiskHeld: trial(
    { 'sltv_autoextend_disk_held{pool="vg",disk="d",reason="pool-full"}': '_x3 1x6 stale' },
    8,
    [2, 4, 15],
    { ...disk, reason: 'pool-full' },
  ),
  SltvExtensionSlow: trial(
    {
      'sltv_autoextend_disk_last_extension_seconds{pool="vg",disk="d"}': '2x40',
      'sltv_autoextend_disk_full_in_seconds{pool="vg",disk="d"}': '60x3 4x2 60x30',
    },
    5,
    [3, 20],
    disk,
  ),
  SltvPoolFrozen: trial({ 'sltv_pool_writable{pool="vg"}': '1x3 0x6 1x10' }, 8, [3, 5, 15], pool),
  SltvPoolUnreadable: trial({ 'sltv_pool_up{pool="vg"}': '1x3 0x6 1x10' }, 8, [3, 5, 15], pool),
  SltvMetadataNearlyFull: trial(
    {
      'sltv_pool_metadata_free_bytes{pool="vg"}': '500x3 100x20 500x20',
      'sltv_pool_metadata_size_bytes{pool="vg"}': '1000x60',
    },
    20,
    [3, 10, 35],
    pool,
  ),
  SltvLockLost: trial({ sltv_etcd_leases_lost_total: '0x5 1x40' }, 8, [5, 30], a),
  SltvEtcdDown: trial({ sltv_etcd_up: '1x3 0x6 1x10' }, 8, [3, 4, 15], a),
  SltvLocksRefused: trial({ sltv_etcd_halted: '0x3 1x6 0x10' }, 5, [3, 15], a),
  SltvLockHolderSilent: trial({ sltv_etcd_silent_holders: '0x3 1x6 0x10' }, 8, [3, 4, 15], a),
  // Gone from the fourth minute on, and fenced from the tenth; its neighbour is up all the time.
  SltvNodeGone: trial(
    {
      'sltv_node_up{node="n1"}': '1x20',
      'sltv_node_up{node="n2"}': '1x3 0x16',
      'sltv_node_fenced{node="n1"}': '0x20',
      'sltv_node_fenced{node="n2"}': '0x9 1x10',
    },
    8,
    [3, 5, 15],
    { node: 'n2' },
  ),
  // It ends two weeks and ten minutes after the first minute; from the 31st on another one is there.
  SltvCertificateExpiring: trial(
    { 'sltv_certificate_not_after_timestamp_seconds{use="etcd-client"}': '1210200x30 9999999x30' },
    25,
    [9, 15, 35],
    { ...a, use: 'etcd-client' },
  ),
  SltvAlarm: trial({ sltv_alarms: '0x3 2x6 0x10' }, 8, [3, 5, 15], a),
  SltvMetricsIncomplete: trial({ 'sltv_source_up{source="nodes"}': '1x3 0x20 1x10' }, 20, [3, 10, 30], {
    ...a,
    source: 'nodes',
  }),
};

test('the rules are what Prometheus takes', async () => {
  const { code, said } = await promtool(['check', 'rules', RULES]);
  assert.is(code, 0, said);
  assert.match(said, `${ALERTS.length} rules found`);
});

test('every alert is on trial', () => {
  assert.equal(Object.keys(TRIALS).toSorted(), ALERTS.toSorted());
});

for (const [alert, { series, fires, clear, labels }] of Object.entries(TRIALS)) {
  test(`${alert} fires when it should, and clears`, async () => {
    const severity = new RegExp(`alert: ${alert}\\n[\\s\\S]*?severity: (\\w+)`).exec(TEXT)?.[1] ?? '';
    const expr = `ALERTS{alertname="${alert}",alertstate="firing"}`;
    const full = { alertname: alert, alertstate: 'firing', severity, ...labels };
    const words = Object.entries(full).map(([name, value]) => `${name}="${value}"`);
    const exp = [{ labels: `ALERTS{${words}}`, value: 1 }];
    const { code, said } = await tried(series, [
      { expr, eval_time: `${fires}m`, exp_samples: exp },
      ...clear.map((minute) => ({ expr, eval_time: `${minute}m`, exp_samples: [] })),
    ]);
    assert.is(code, 0, said);
  });
}

for (const alert of ALERTS) {
  test(`${alert} says what to do, and its page says more`, () => {
    const own = TEXT.split(/^ {6}- alert: /m).find((text) => text.startsWith(`${alert}\n`)) ?? '';
    assert.match(own, /summary: \S/);
    assert.match(own, /description: \S/);
    assert.match(own, `runbook: docs/monitoring.md#${alert.toLowerCase()}\n`);
    assert.match(PAGE, `\n### ${alert}\n`);
  });
}

/** What promtool says to these expectations over these series, each of the instance `a`. */
async function tried(series: Trial['series'], expectations: readonly object[]) {
  const folder = mkdtempSync(join(tmpdir(), 'sltv-alerts-'));
  try {
    const input = Object.entries(series).map(([name, values]) => ({ series: ofInstance(name), values }));
    const tests = [{ interval: '1m', input_series: input, promql_expr_test: expectations }];
    // JSON is YAML.
    const file = join(folder, 'trial.yml');
    writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }));
    return await promtool(['test', 'rules', file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const ofInstance = (series: string): string =>
  series.includes('{') ? series.replace('{', '{instance="a",') : `${series}{instance="a"}`;

test.run();
