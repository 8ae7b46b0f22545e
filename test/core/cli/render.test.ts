import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { adoptions, vgFast, vms, web1 } from './answers.ts';
import { type Session, session } from './session.ts';

let shell: Session;
test.before(async () => {
  shell = await session();
});
test.after(async () => {
  await shell[Symbol.asyncDispose]();
});

/** What is typed, and what a person reads. */
for (const [typed, ...lines] of [
  [
    'disk list',
    'NAME  POOL     MODE      SIZE  VIRTUAL SIZE  STATE  VM   TARGET',
    'web1  vg-sltv  thin    10 GiB        40 GiB  owned  web  vdb',
    'db    vg-fast  thick  1.5 GiB       1.5 GiB  ready  -    -',
  ],
  [
    'disk show db',
    'name:           db',
    'pool:           vg-fast',
    'mode:           thick',
    'size:           1.5 GiB',
    'virtual size:   1.5 GiB',
    'state:          ready',
    'path:           /dev/vg-fast/db',
    'id:             0b7e4a3e-51a0-4b39-8e0e-0a3b2a8f3a52',
    'created:        2026-11-20 18:14:05Z',
    'created on:     kvm1',
    'last extended:  2026-11-21 01:02:03Z',
  ],
  [
    'disk attach web1 web',
    'disk:       vg-sltv/web1',
    'vm:         web',
    'target:     vdb',
    'read only:  no',
    'node:       kvm1',
    'attached:   2026-11-20 18:20:00Z',
  ],
  ['disk detach web1 web', 'disk web1 is out of VM web'],
  ['disk delete web1', 'disk web1 is deleted'],
  [
    'attachment list',
    'DISK          VM   TARGET  READ ONLY  NODE  ATTACHED',
    'vg-sltv/web1  web  vdb     no         kvm1  2026-11-20 18:20:00Z',
  ],
  [
    'pool list',
    'NAME     KIND    SIZE      FREE  DISKS  VIRTUAL  SHARED  WRITABLE',
    'vg-fast  lvm   20 GiB  18.5 GiB      1  1.5 GiB  no      yes',
    'images   dir   20 GiB  18.5 GiB      1  1.5 GiB  no      yes',
  ],
  [
    'pool show vg-fast',
    'name:           vg-fast',
    'kind:           lvm',
    'size:           20 GiB',
    'free:           18.5 GiB',
    'disks:          1',
    'virtual:        1.5 GiB',
    'extent:         4 MiB',
    'devices:        /dev/sdb',
    '                /dev/sdc',
    'metadata size:  128 MiB',
    'metadata free:  127.99 MiB (134215680 bytes)',
  ],
  [
    'vm list',
    'NAME  STATE    UUID                                  DISKS',
    'web   running  0c5b3f43-8f6d-4a58-8d0a-3c9c2e9f0b6e  vda=/var/lib/libvirt/web.img, vdb=vg-sltv/web1 (read-only), hda=empty (read-only)',
    'old   off      9b1c6f0e-3d52-4f0a-b7a4-2f9e2b1f7a10  -',
  ],
  [
    'node list',
    'NAME  STATE   VERSION  LAST SEEN             ADDRESSES  POOLS    REMARKS',
    'kvm1  up      0.1.0    2026-11-21 01:02:03Z  kvm1:8443  vg-fast  -',
    'kvm2  silent  0.2.0    2026-11-20 18:14:05Z  -          vg-fast  it does not see vg-fast',
  ],
  ['node fence kvm2 --yes', 'node kvm2 is fenced: what it had may be had from other nodes'],
  [
    'operation list',
    'ID    OPERATION    SUBJECT  SINCE                 CALLER                     STAGE',
    'r-17  disk.create  web1     2026-11-20 18:14:05Z  unix:/run/sltv/sltvd.sock  waiting for the lock of volume group vg0',
  ],
  ['operation cancel r-17', 'operation r-17 is cancelled'],
  ['node retire kvm2', 'node kvm2 is a member no more'],
  ['cluster recover --yes', 'the cluster goes on; asked: kvm1, kvm2'],
  ['status', 'node:     kvm1', 'version:  0.1.0', 'cluster:  no', 'pools:    vg-fast: 18.5 GiB of 20 GiB free'],
  [
    'status --cluster',
    'cluster:      no',
    'nodes:        kvm1 (0.1.0)',
    'pools:        vg-fast: 18.5 GiB of 20 GiB free',
    'disks:        2',
    'attachments:  1',
  ],
  [
    'plugin list',
    'NAME   VERSION  PROVIDES  REQUIRES  VERBS',
    'hello  1.2.3    -         disks     hello greet, hello watch door, hello forget',
  ],
] as const) {
  test(`sltv ${typed} reads well`, async () => {
    assert.equal((await shell.type(typed)).out.split('\n'), [...lines, '']);
  });
}

test('an empty list is its headings', async () => {
  await using own = await session();
  own.daemon.answer('Sltv/ListDisks', { message: { disks: [] } });
  assert.is((await own.type('disk list')).out, 'NAME  POOL  MODE  SIZE  VIRTUAL SIZE  STATE  VM  TARGET\n');
});

test('a pool that nothing may be written to says why, and so does a VM whose disks can’t be told', async () => {
  await using own = await session();
  const readOnlyBecause = 'it belongs to another lock domain';
  own.daemon.answer('PoolService/ListPools', { message: { pools: [{ ...vgFast, readOnlyBecause }] } });
  own.daemon.answer('PoolService/GetPool', { message: { pool: { ...vgFast, readOnlyBecause } } });
  own.daemon.answer('VmService/ListVms', { message: { vms: [{ ...vms[1], problem: 'its XML is broken' }] } });
  assert.match((await own.type('pool list')).out, /1\.5 GiB {2}no {6}no\n/);
  assert.match((await own.type('pool show vg-fast')).out, 'read only because:  it belongs to another lock domain\n');
  assert.match((await own.type('vm list')).out, 'unknown: its XML is broken');
});

test('of what was adopted it is told why it is what it is, and of the rest why it was left', async () => {
  await using own = await session();
  const left = { vg: 'p', name: 'odd', because: 'p/odd is odd', code: 'core/format-unclear', hint: 'say --format raw' };
  const { message } = { message: { adoptions: [...adoptions, left] } };
  own.daemon.answer('Sltv/AdoptDisks', { message });
  const { out, err, code } = await own.type('disk adopt --all');
  assert.match(out, /^web1 .* qcow2, as web has it$/m);
  assert.is(err, 'sltv: p/odd is left as it is: p/odd is odd\nhint: say --format raw      [core/format-unclear]\n');
  assert.is(code, 0);
  own.daemon.answer('Sltv/AdoptDisks', { message: { adoptions: [] } });
  assert.is((await own.type('disk adopt --all')).out, 'all volumes of the pool are disks already, or it has none\n');
});

test('a command in a pool ends with its own status, and says what it said', async () => {
  await using own = await session();
  assert.equal(await own.type('pool shell p -- lvm lvs').then(({ out, err, code }) => [out, err, code]), [
    '  LV   VG\n  web1 p\n',
    '',
    0,
  ]);
  own.daemon.answer('PoolService/ShellPool', { message: { code: 5, stdout: '', stderr: '  not found\n' } });
  assert.equal(await own.type('pool shell p -- lvm lvs').then(({ out, err, code }) => [out, err, code]), [
    '',
    'sltv:   not found\n',
    5,
  ]);
});

test('a cluster says what is wrong with it, and with whom', async () => {
  await using own = await session();
  const node = { version: '0.1.0', clusterEnabled: true, vgs: [], up: true, fenced: false, remarks: [] };
  const nodes = [
    { ...node, nodeId: 'kvm1', remarks: ['vg/a is active and open on this host'] },
    { ...node, nodeId: 'kvm2', up: false },
    { ...node, nodeId: 'kvm3', fenced: true, remarks: ['it was fenced and lives: reboot it'] },
  ];
  const message = {
    enabled: true,
    leader: '',
    nodes,
    diskCount: 2,
    attachmentCount: 1,
    trouble: 'etcd is empty',
    troubleState: 'halted',
  };
  own.daemon.answer('Sltv/GetClusterStatus', { message });
  assert.equal((await own.type('status --cluster')).out.split('\n'), [
    'cluster:      yes',
    'trouble:      etcd is empty (until somebody sees to it: sltv cluster recover)',
    'nodes:        kvm1 (0.1.0)',
    '              kvm2 (0.1.0, silent)',
    '              kvm3 (0.1.0, fenced)',
    'pools:        -',
    'disks:        2',
    'attachments:  1',
    'remarks:      kvm1: vg/a is active and open on this host',
    '              kvm3: it was fenced and lives: reboot it',
    '',
  ]);
});

test('sizes are exact where the short word isn’t', async () => {
  await using own = await session();
  own.daemon.answer('Sltv/GetDisk', { message: { ...web1, sizeBytes: '10739318784', virtualSizeBytes: '1023' } });
  const { out } = await own.type('disk show web1');
  assert.match(out, 'size:          10 GiB (10739318784 bytes)\n');
  assert.match(out, 'virtual size:  1023 B\n');
});

test('what plugins know of a disk stands after its own, by the types that they declare', async () => {
  await using own = await session();
  const fact = { about: '', list: false };
  const facts = [
    { ...fact, name: 'keepFree', type: 'size', values: ['10739318784'] },
    { ...fact, name: 'pauses', type: 'count', values: ['3'] },
    { ...fact, name: 'longest', type: 'duration', values: ['1500'] },
    { ...fact, name: 'isWatched', type: 'flag', values: ['false'] },
    { ...fact, name: 'since', type: 'time', values: ['2026-01-31T12:00:00.000Z'] },
    { ...fact, name: 'reasons', type: 'text', list: true, values: ['one', 'two'] },
    { ...fact, name: 'others', type: 'text', list: true, values: [] },
    { ...fact, name: 'mood', type: 'a type of tomorrow', values: ['good'] },
  ];
  own.daemon.answer('Sltv/GetDisk', { message: { ...web1, endBytes: '1073741824', facts } });
  const { out } = await own.type('disk show web1');
  assert.equal(out.slice(out.indexOf('written:')).split('\n'), [
    'written:       1 GiB',
    'keep free:     10 GiB (10739318784 bytes)',
    'pauses:        3',
    'longest:       1.5 s',
    'is watched:    no',
    'since:         2026-01-31 12:00:00Z',
    'reasons:       one',
    '               two',
    'others:        -',
    'mood:          good',
    '',
  ]);
  const json = JSON.parse((await own.type('disk show web1 --json')).out);
  assert.equal(json.facts, facts);
});

test('how far a disk is written is said once, by whoever knows best', async () => {
  await using own = await session();
  const facts = [{ name: 'written', type: 'size', about: '', list: false, values: ['2097152'] }];
  own.daemon.answer('Sltv/GetDisk', { message: { ...web1, endBytes: '1048576', facts } });
  const { out } = await own.type('disk show web1');
  assert.equal(out.match(/^written: .*$/gm), ['written:       2 MiB']);
});

test('a name that someone else chose can’t move the cursor', async () => {
  await using own = await session();
  own.daemon.answer('Sltv/ListDisks', { message: { disks: [{ ...web1, vmName: '\x1b[2Jevil\n' }] } });
  assert.match((await own.type('disk list')).out, '\u{FFFD}[2Jevil\u{FFFD}');
});

test('headings are bold on a terminal only, and never against NO_COLOR', async () => {
  const env = { SLTV_ADDR: shell.daemon.addr };
  const first = async (world: object) => (await shell.type('disk list', { env, ...world })).out.split('\n')[0] ?? '';
  const plain = await first({});
  assert.not.match(plain, '\x1b');
  assert.is(await first({ isTTY: true }), `\x1b[1m${plain}\x1b[22m`);
  assert.is(await first({ isTTY: true, env: { ...env, NO_COLOR: '1' } }), plain);
  assert.is(await first({ isTTY: true, env: { ...env, TERM: 'dumb' } }), plain);
  const { out } = await shell.type('disk show db', { env, isTTY: true });
  assert.match(out, '\x1b[1mname:\x1b[22m           db\n');
  assert.not.match((await shell.type('disk list --json', { env, isTTY: true })).out, '\x1b');
});

test('a disk in conflict comes with what it means, beside what is asked for', async () => {
  await using own = await session();
  own.daemon.answer('Sltv/GetDisk', { message: { ...web1, state: 'conflict' } });
  const { out, err, code } = await own.type('disk show web1');
  assert.match(out, /^state: +conflict$/m);
  assert.match(err, /^sltv: web does not have it on this host, .* sltv disk detach vg-sltv\/web1 web frees it\n$/);
  assert.is(code, 0);
});

test.run();
