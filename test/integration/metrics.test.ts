// The built daemon with all that it can be made of, on this machine's real lvm2 and etcd and beside a virsh that repeats what a
// real one said, scraped by a real Prometheus.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { type Etcd, startEtcd } from '../fixtures/etcd.ts';
import { type OwnDaemon, ownDaemon, type } from '../fixtures/executable.ts';
import { freePorts } from '../fixtures/ports.ts';
import { type Prometheus, promtool, startPrometheus } from '../fixtures/prometheus.ts';
import { loopVg } from '../plugins/lvm/fixture.ts';

const ROOT = join(import.meta.dirname, '../..');
const RECORDED = join(ROOT, 'test/fixtures/virsh');
const RULES = join(ROOT, 'deploy/prometheus/sltv.rules.yml');
const PAGE = readFileSync(join(ROOT, 'docs/monitoring.md'), 'utf8');
const MEBIBYTE = 1024 * 1024;

const life = new AsyncDisposableStack();
let daemon: OwnDaemon;
let etcd: Etcd;
let prometheus: Prometheus;
let port: number;
let bin: string;
let path: string;
/** How far the guest has written its disk, MiB. */
let written = 56;

test.before(async () => {
  const folder = life.use(await trustedFolder()).path;
  etcd = life.use(await startEtcd({ tls: true }));
  const vg = life.use(await loopVg({ sizes: [600] }));
  // Without device-mapper nothing can write an image into a volume, but its notes say all that the daemon knows of one.
  const notes = ['v=1', 'disk=7d7ba1c8-28d5-4a70-9d0e-000000000000', 'layer=0', 'fmt=qcow2', 'vsize=1073741824'];
  const tags = notes.flatMap((note) => ['--addtag', `sltv:${note}`]);
  await vg.lvm('lvcreate', '-q', '-an', '-Zn', '-Wn', '-L', '64m', '-n', 'img', ...tags, vg.name);
  path = `/dev/${vg.name}/img`;
  bin = join(folder, 'bin');
  makeVirsh();
  guestWrites(written);
  mkdirSync(join(folder, 'disks'));
  [port = 0] = await freePorts(1);
  const { ca, cert, key } = etcd.certificates ?? {};
  const policy = `ahead({ headroom: { least: '4M', most: '4M' }, step: { least: '4M', most: '4M' } })`;
  const plugins = [
    `lvm({ vgs: ['${vg.name}'] }), dir({ pools: { files: '${folder}/disks' } }), libvirt()`,
    `etcdLock({ endpoints: ${JSON.stringify(etcd.endpoints)}, tls: ${JSON.stringify({ ca, cert, key })} })`,
    `autoextend({ policy: ${policy}, poll: 1000, events: false }), metrics({ port: ${port} })`,
  ].join(', ');
  daemon = life.use(await ownDaemon(folder, plugins, { ...vg.env, PATH: `${bin}:${process.env.PATH}` }));
  prometheus = life.use(await startPrometheus([port], RULES));
});

test.after(() => life.disposeAsync());

const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();

/** Of all that a daemon does here, once more; each time its guest writes on. */
async function work(): Promise<void> {
  written += 3;
  guestWrites(written);
  for (const line of [
    `sltv disk create d${written} --size 1M --pool files`,
    `sltv disk extend d${written} --delta +1M`,
    `sltv disk delete d${written}`,
    'sltv disk list',
    'sltv disk show nobody',
  ])
    await type(line, daemon.env);
}

/** Works on until something is so, for at most a minute. */
async function until(what: string, isSo: () => Promise<string | undefined>): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const lacks = await isSo();
    if (lacks === undefined) return;
    if (performance.now() > deadline) throw new Error(`${what}: ${lacks}\n${daemon.log()}`);
    await work();
    await sleep(500);
  }
}

test('Prometheus scrapes the daemon', async () => {
  await until('it is up', async () => {
    const [up] = await prometheus.query('up{job="sltv"} == 1');
    return up ? undefined : 'not yet scraped';
  });
});

test('the disk that its guest writes is measured: how far, how fast, and what it was given', async () => {
  await until('it was extended', async () => {
    const [size] = await prometheus.query('sltv_disk_size_bytes{disk="img"} > 64 * 1024 * 1024');
    const [room] = await prometheus.query('sltv_autoextend_disk_full_in_seconds{disk="img"} > 0');
    return size && room ? undefined : 'not yet';
  });
  const [extended] = await prometheus.query('sltv_disk_extensions_total{automatic="true"} > 0');
  assert.ok(extended, 'an extension was counted');
});

test('every query of the dashboard finds numbers', async () => {
  const dashboard = readFileSync(join(ROOT, 'deploy/grafana/sltv.json'), 'utf8');
  const queries = [...dashboard.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(([, text = '""']) =>
    String(JSON.parse(text)).replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m'),
  );
  assert.ok(queries.length > 30, 'the queries were found');
  await until('all of them find something', async () => {
    const answers = await Promise.all(queries.map(async (query) => ({ query, found: await prometheus.query(query) })));
    const empty = answers.filter(({ found }) => !found.some(({ value }) => value[1] !== 'NaN'));
    return empty.length === 0 ? undefined : empty.map(({ query }) => query).join('\n');
  });
});

test('promtool finds nothing to complain of in what is scraped', async () => {
  const { code, said } = await promtool(['check', 'metrics'], await scrape());
  assert.equal([code, said], [0, '']);
});

test('the page has every metric that a scrape gives, with its type and labels, and no other', async () => {
  const text = await scrape();
  const types = [...text.matchAll(/^# TYPE (sltv_\w+) (\w+)$/gm)].map(([, name = '', type]) => {
    const labels = new RegExp(`^${name}(?:_count)?\\{(.*)\\} `, 'm').exec(text)?.[1] ?? '';
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
    return `${name} ${type} ${names.toSorted().join(', ')}`.trim();
  });
  const rows = [...PAGE.matchAll(/^\| `(sltv_\w+)` \| (\w+) \|([^|]*)\|/gm)].map(([, name, type, labels = '']) =>
    `${name} ${type} ${[...labels.matchAll(/\w+/g)].flat().toSorted().join(', ')}`.trim(),
  );
  // A disk that is held back is one that is not kept ahead, and here all are.
  const never = rows.filter((row) => /^sltv_autoextend_disk_held /.test(row));
  assert.is(never.length, 1);
  assert.equal([...types, ...never].toSorted(), rows.toSorted());
});

test('every metric that an alert looks at is on the page', () => {
  const used = new Set(readFileSync(RULES, 'utf8').match(/\bsltv_\w+/g));
  assert.equal(
    [...used].filter(
      (name) => !PAGE.includes(`| \`${name}\` |`) && !PAGE.includes(`| \`${name.replace(/_bucket$/, '')}\` |`),
    ),
    [],
  );
});

test('every source is up, and no alert is critical, where a daemon is well', async () => {
  assert.equal(await prometheus.query('sltv_source_up == 0 or sltv_source_series_left_out > 0'), []);
  assert.equal(await prometheus.query('ALERTS{alertstate="firing",severity="critical"}'), []);
});

test('no series has a path, a request’s id or an error’s sentence in a label', async () => {
  const series = (await scrape()).split('\n').filter((line) => line.startsWith('sltv_'));
  const values = new Set(series.flatMap((line) => [...line.matchAll(/="([^"]*)"/g)].map(([, value = '']) => value)));
  assert.ok(values.has('img'), 'labels were found');
  for (const value of values) assert.not.match(value, /^\/|auto-|\. |[0-9a-f]{8}-[0-9a-f]{4}/);
});

test('with an etcd that hangs a scrape has all the rest, and says what is missing', async () => {
  const line = (text: string, series: string) => text.split('\n').find((each) => each.startsWith(`${series} `));
  etcd.freeze();
  try {
    // Whoever asks while Prometheus is served gets the same answer, which may be of before.
    await scrape();
    const frozen = await scrape();
    assert.is(line(frozen, 'sltv_source_up{source="nodes"}'), 'sltv_source_up{source="nodes"} 0');
    assert.is(line(frozen, 'sltv_source_up{source="disks"}'), 'sltv_source_up{source="disks"} 1');
    assert.match(frozen, /^sltv_disk_size_bytes\{.*disk="img"/m);
    assert.match(line(frozen, 'sltv_source_duration_seconds{source="nodes"}') ?? '', / [0-5]\./);
  } finally {
    etcd.thaw();
  }
  await until('it is up again', async () =>
    line(await scrape(), 'sltv_source_up{source="nodes"}')?.endsWith(' 1') ? undefined : 'the nodes are not told yet',
  );
  assert.match(daemon.log(), /a source of metrics is down.*"source":"nodes"/);
});

/** Programs that say what recorded ones said. */
function makeVirsh(): void {
  mkdirSync(bin);
  const events = readFileSync(join(RECORDED, 'events.txt'), 'utf8').split('\n');
  const listening = events.filter((line) => line.includes('virConnectDomainEventRegisterAny'));
  writeFileSync(join(bin, 'listening'), `${listening.join('\n')}\n`);
  const script = `#!/bin/sh
case "$*" in
  *domstats*) exec cat ${bin}/statistics ;;
  *event*) cat ${bin}/listening; exec sleep infinity ;;
  *list*) echo '${VM} web'; exec echo ;;
  *) echo "error: nothing was recorded of $*" >&2; exit 1 ;;
esac
`;
  writeFileSync(join(bin, 'virsh'), script, { mode: 0o755 });
}

const VM = '00000000-0000-4000-8000-000000000001';

/** A recorded paragraph of a VM with one disk, with this one's numbers; as a whole, because a look may come at any time. */
function guestWrites(mebibytes: number): void {
  const fields = {
    name: 'vda',
    path,
    allocation: mebibytes * MEBIBYTE,
    capacity: 1024 * MEBIBYTE,
    physical: 64 * MEBIBYTE,
  };
  const recorded = readFileSync(join(RECORDED, 'statistics-armed.txt'), 'utf8').split('\n');
  const lines = recorded.filter((line) => line.startsWith('  block.0.') && !line.includes('.threshold='));
  const told = Object.entries(fields).reduce(
    (each, [key, value]) => each.map((line) => line.replace(new RegExp(`(\\.0\\.${key})=.*`), `$1=${value}`)),
    lines,
  );
  const head = ["Domain: 'web'", '  state.state=1', '  state.reason=5', '  block.count=1'];
  writeFileSync(join(bin, 'statistics.new'), `${[...head, ...told].join('\n')}\n\n${VM} web\n\n`);
  renameSync(join(bin, 'statistics.new'), join(bin, 'statistics'));
}

test.run();
