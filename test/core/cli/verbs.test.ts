import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { aliases, allCommands } from '../../../core/cli/nouns.ts';
import { spelledOptions } from '../../../core/cli/parse.ts';
import { type Session, session } from './session.ts';

const GiB = 1024 ** 3;
const THICK = { mode: 'PROVISION_MODE_THICK', virtualSizeBytes: '0', vg: '' };
const thin = (virtualSize: number) => ({
  mode: 'PROVISION_MODE_THIN',
  sizeBytes: '0',
  virtualSizeBytes: String(virtualSize),
  vg: '',
});

/** What is typed, and what the daemon is asked then. */
const CASES: readonly (readonly [typed: string, method: string, request: object])[] = [
  ['disk create a --size 5G', 'Sltv/CreateDisk', { ...THICK, name: 'a', sizeBytes: String(5 * GiB) }],
  ['disk create a --size=1.5G', 'Sltv/CreateDisk', { ...THICK, name: 'a', sizeBytes: String(1.5 * GiB) }],
  ['disk create a --thick --size 5G', 'Sltv/CreateDisk', { ...THICK, name: 'a', sizeBytes: String(5 * GiB) }],
  ['disk create a --size 5g --pool p', 'Sltv/CreateDisk', { ...THICK, name: 'a', sizeBytes: String(5 * GiB), vg: 'p' }],
  ['disk create a --size 4096 --vg p', 'Sltv/CreateDisk', { ...THICK, name: 'a', sizeBytes: '4096', vg: 'p' }],
  ['disk create a --thin --virtual-size 40G', 'Sltv/CreateDisk', { ...thin(40 * GiB), name: 'a' }],
  ['disk create --thin a --virtual-size 40G', 'Sltv/CreateDisk', { ...thin(40 * GiB), name: 'a' }],
  [
    'disk create a --thin --size 1G --virtual-size 2G',
    'Sltv/CreateDisk',
    { ...thin(2 * GiB), sizeBytes: String(GiB), name: 'a' },
  ],
  ['create-disk a --size 5G', 'Sltv/CreateDisk', { ...THICK, name: 'a', sizeBytes: String(5 * GiB) }],
  ['create-disk a --thin-prov --virtual-size 2G --vg p', 'Sltv/CreateDisk', { ...thin(2 * GiB), name: 'a', vg: 'p' }],
  ['disk list', 'Sltv/ListDisks', { vg: '' }],
  ['disk list --pool p', 'Sltv/ListDisks', { vg: 'p' }],
  ['disk --pool p list', 'Sltv/ListDisks', { vg: 'p' }],
  ['list-disks', 'Sltv/ListDisks', { vg: '' }],
  ['list-disks --vg p', 'Sltv/ListDisks', { vg: 'p' }],
  ['disk show p/a', 'Sltv/GetDisk', { name: 'p/a' }],
  ['get-disk a', 'Sltv/GetDisk', { name: 'a' }],
  ['disk extend a --size 5G', 'Sltv/ExtendDisk', { name: 'a', sizeBytes: String(5 * GiB) }],
  ['disk extend a --delta 5G', 'Sltv/ExtendDisk', { name: 'a', deltaBytes: String(5 * GiB) }],
  ['disk extend a --delta +5G', 'Sltv/ExtendDisk', { name: 'a', deltaBytes: String(5 * GiB) }],
  ['extend-disk a --size 5G', 'Sltv/ExtendDisk', { name: 'a', sizeBytes: String(5 * GiB) }],
  ['extend-disk a --delta +5G', 'Sltv/ExtendDisk', { name: 'a', deltaBytes: String(5 * GiB) }],
  ['disk resize a --virtual-size 5G', 'Sltv/ResizeDisk', { name: 'a', virtualSizeBytes: String(5 * GiB) }],
  ['disk attach a v', 'Sltv/AttachDisk', { diskName: 'a', vmName: 'v', targetDev: '', readOnly: false }],
  [
    'disk attach a v --target vdc --read-only',
    'Sltv/AttachDisk',
    { diskName: 'a', vmName: 'v', targetDev: 'vdc', readOnly: true },
  ],
  [
    'attach-disk a v --target vdc',
    'Sltv/AttachDisk',
    { diskName: 'a', vmName: 'v', targetDev: 'vdc', readOnly: false },
  ],
  ['disk detach a v', 'Sltv/DetachDisk', { diskName: 'a', vmName: 'v' }],
  ['detach-disk a v', 'Sltv/DetachDisk', { diskName: 'a', vmName: 'v' }],
  ['disk delete a', 'Sltv/DeleteDisk', { name: 'a', force: false }],
  ['disk delete a --force', 'Sltv/DeleteDisk', { name: 'a', force: true }],
  ['delete-disk a --force', 'Sltv/DeleteDisk', { name: 'a', force: true }],
  ['disk adopt p/a', 'Sltv/AdoptDisks', { name: 'p/a', vg: '', format: '' }],
  ['disk adopt a --pool p --format qcow2', 'Sltv/AdoptDisks', { name: 'a', vg: 'p', format: 'qcow2' }],
  ['disk adopt --all --vg p', 'Sltv/AdoptDisks', { name: '', vg: 'p', format: '' }],
  ['disk forget a', 'Sltv/ForgetDisk', { name: 'a', attached: false }],
  ['disk forget a --attached', 'Sltv/ForgetDisk', { name: 'a', attached: true }],
  ['attachment list', 'Sltv/ListAttachments', { diskName: '', vmName: '' }],
  ['attachment list --disk a --vm v', 'Sltv/ListAttachments', { diskName: 'a', vmName: 'v' }],
  ['list-attachments', 'Sltv/ListAttachments', { diskName: '', vmName: '' }],
  ['pool list', 'PoolService/ListPools', {}],
  ['pool show p', 'PoolService/GetPool', { name: 'p' }],
  ['pool create p /dev/a /dev/b', 'PoolService/CreatePool', { name: 'p', devices: ['/dev/a', '/dev/b'], kind: '' }],
  ['pool create p /dev/a --kind lvm', 'PoolService/CreatePool', { name: 'p', devices: ['/dev/a'], kind: 'lvm' }],
  ['pool extend p /dev/a', 'PoolService/ExtendPool', { name: 'p', devices: ['/dev/a'] }],
  ['pool share p', 'PoolService/SharePool', { name: 'p' }],
  ['pool take p --yes', 'PoolService/TakePool', { name: 'p' }],
  ['pool accept p --yes', 'PoolService/AcceptPool', { name: 'p' }],
  ['pool shell p -- lvm lvs -o +tags', 'PoolService/ShellPool', { name: 'p', words: ['lvm', 'lvs', '-o', '+tags'] }],
  ['node list', 'NodeService/ListNodes', {}],
  ['node fence n --yes', 'NodeService/FenceNode', { name: 'n', confirmed: true, byHand: false }],
  ['node fence n --by-hand --yes', 'NodeService/FenceNode', { name: 'n', confirmed: true, byHand: true }],
  ['operation list', 'OperationService/ListOperations', {}],
  ['operation cancel r-17', 'OperationService/CancelOperation', { requestId: 'r-17' }],
  ['node retire n', 'NodeService/RetireNode', { name: 'n' }],
  ['cluster recover --yes', 'ClusterService/RecoverCluster', {}],
  ['vm list', 'VmService/ListVms', {}],
  ['status', 'Sltv/GetNodeStatus', {}],
  ['status --cluster', 'Sltv/GetClusterStatus', {}],
  ['plugin list', 'PluginService/List', {}],
];

/** Verbs that ask no daemon: test/core/cli/local.test.ts has them. */
const LOCAL = ['plugin test', 'config check', 'config show', 'init', 'daemon', 'hook', 'version'];
/** What gives a stream has a test of its own. */
const STREAMS = ['events', 'operation watch'];
/** complete.test.ts has them. */
const COMPLETION = ['completion script', 'completion words'];

let shell: Session;
test.before(async () => {
  shell = await session();
});
test.after(async () => {
  await shell[Symbol.asyncDispose]();
});

for (const [typed, method, request] of CASES) {
  test(`sltv ${typed} asks for ${method}`, async () => {
    const { code, out, err, asked } = await shell.type(typed);
    assert.is(err, '');
    assert.equal(asked, [{ method, request }]);
    assert.is(code, 0);
    assert.is.not(out, '');
  });
}

test('every verb, option and alias is typed above, but --watch, which watch.test.ts has', async () => {
  const lines = CASES.map(([typed]) => typed);
  const types = (words: string, option = '') =>
    lines.some((line) => `${line} `.startsWith(`${words} `) && line.includes(option));
  const commands = Object.entries(await allCommands()).filter(
    ([words]) => ![...LOCAL, ...STREAMS, ...COMPLETION].includes(words),
  );
  const missing = commands.flatMap(([words, { verb, spellings }]) => {
    const old = Object.keys(aliases).filter((alias) => aliases[alias] === words);
    const untyped = [words, ...old].filter((each) => !types(each));
    const spelled = [...spelledOptions(verb.options, spellings).keys()].filter((option) => option !== '--watch');
    return [...untyped, ...spelled.filter((option) => ![words, ...old].some((each) => types(each, ` ${option}`)))];
  });
  assert.equal(missing, []);
});

test('--json prints the very message of the daemon', async () => {
  for (const [typed, method] of CASES) {
    // What follows -- is never an option.
    const { out } = await shell.type(`--json ${typed}`);
    const recorded = shell.daemon.recorded(method);
    assert.equal(JSON.parse(out), 'message' in recorded ? recorded.message : undefined, typed);
  }
});

test('the address may be a bare path and stand anywhere', async () => {
  const path = shell.daemon.addr.replace('unix://', '');
  for (const argv of [`--addr ${path} disk list`, `disk --addr=${path} list`, `disk list --addr unix://${path}`]) {
    assert.is((await shell.type(argv, { env: {} })).code, 0, argv);
  }
});

test('SLTV_TIMEOUT and --timeout bound the wait, the option first', async () => {
  await using slow = await session();
  slow.daemon.answer('Sltv/ListDisks', { silence: true });
  for (const [typed, env] of [
    ['disk list', { SLTV_TIMEOUT: '10ms' }],
    ['disk list --timeout 10ms', { SLTV_TIMEOUT: '1h' }],
  ] as const) {
    const { code, err } = await slow.type(typed, { env: { SLTV_ADDR: slow.daemon.addr, ...env } });
    assert.is(code, 11);
    assert.match(err, '[core/timeout]');
  }
});

test.run();
