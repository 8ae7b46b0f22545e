// Answers as a daemon gives them: proto3 JSON with defaults written out.
import type { Recorded } from './fake-daemon.ts';

export const web1 = {
  name: 'web1',
  vg: 'vg-sltv',
  mode: 'PROVISION_MODE_THIN',
  sizeBytes: '10737418240',
  virtualSizeBytes: '42949672960',
  devicePath: '/dev/vg-sltv/web1',
  createdOnNode: 'kvm1',
  createdAt: '2026-11-20T18:14:05.250Z',
  id: '6d0dcf9e-6a2a-4f2c-9a4e-8d6b4f2f8a11',
  state: 'owned',
  vmName: 'web',
  vmUuid: '0c5b3f43-8f6d-4a58-8d0a-3c9c2e9f0b6e',
  targetDev: 'vdb',
  endBytes: '0',
  facts: [],
};

/** As a daemon answers that was started before the newest fields were there. */
export const db = {
  name: 'db',
  vg: 'vg-fast',
  mode: 'PROVISION_MODE_THICK',
  sizeBytes: '1610612736',
  virtualSizeBytes: '1610612736',
  devicePath: '/dev/vg-fast/db',
  createdOnNode: 'kvm1',
  createdAt: '2026-11-20T18:14:05Z',
  lastExtendedAt: '2026-11-21T01:02:03Z',
  id: '0b7e4a3e-51a0-4b39-8e0e-0a3b2a8f3a52',
  state: 'ready',
  vmName: '',
  vmUuid: '',
  targetDev: '',
};

export const adoptions = [
  { vg: 'vg-sltv', name: 'web1', disk: web1, because: 'qcow2, as web has it', code: '', hint: '' },
];

export const inVm = {
  diskName: 'web1',
  vmName: 'web',
  host: 'kvm1',
  targetDev: 'vdb',
  attachedAt: '2026-11-20T18:20:00Z',
  vmUuid: '0c5b3f43-8f6d-4a58-8d0a-3c9c2e9f0b6e',
  vg: 'vg-sltv',
  readOnly: false,
};

export const vgFast = {
  name: 'vg-fast',
  kind: 'lvm',
  sizeBytes: '21474836480',
  freeBytes: '19864223744',
  extentBytes: '4194304',
  devices: ['/dev/sdb', '/dev/sdc'],
  metadataSizeBytes: '134217728',
  metadataFreeBytes: '134215680',
  diskCount: 1,
  virtualBytes: '1610612736',
  readOnlyBecause: '',
};

export const images = {
  ...vgFast,
  name: 'images',
  kind: 'dir',
  devices: ['/var/lib/sltv/disks'],
  extentBytes: '4096',
  metadataSizeBytes: '0',
  metadataFreeBytes: '0',
};

export const vms = [
  {
    name: 'web',
    uuid: '0c5b3f43-8f6d-4a58-8d0a-3c9c2e9f0b6e',
    state: 'running',
    disks: [
      { targetDev: 'vda', path: '/var/lib/libvirt/web.img', diskName: '', readOnly: false },
      { targetDev: 'vdb', path: '/dev/vg-sltv/web1', diskName: 'vg-sltv/web1', readOnly: true },
      { targetDev: 'hda', path: '', diskName: '', readOnly: true },
    ],
    problem: '',
  },
  { name: 'old', uuid: '9b1c6f0e-3d52-4f0a-b7a4-2f9e2b1f7a10', state: 'off', disks: [], problem: '' },
];

const member = {
  boot: 'b1',
  format: 1,
  addresses: [],
  fenced: false,
  pools: [{ name: 'vg-fast', id: 'Ab3', trouble: '' }],
};
const nodes = [
  {
    ...member,
    addresses: ['kvm1:8443'],
    name: 'kvm1',
    version: '0.1.0',
    self: true,
    up: true,
    lastSeen: '2026-11-21T01:02:03Z',
    remarks: [],
  },
  {
    ...member,
    name: 'kvm2',
    version: '0.2.0',
    self: false,
    up: false,
    lastSeen: '2026-11-20T18:14:05Z',
    remarks: ['it does not see vg-fast'],
  },
];

const node = {
  nodeId: 'kvm1',
  version: '0.1.0',
  clusterEnabled: false,
  vgs: [{ name: 'vg-fast', sizeBytes: '21474836480', freeBytes: '19864223744' }],
};

const operations = [
  {
    requestId: 'r-17',
    operation: 'disk.create',
    subject: 'web1',
    caller: 'unix:/run/sltv/sltvd.sock',
    begunAt: '2026-11-20T18:14:05.250Z',
    stage: 'waiting for the lock of volume group vg0',
  },
];

const field = { about: '', optional: false, list: false, choices: [] };

const hello = {
  name: 'hello',
  version: '1.2.3',
  provides: [],
  requires: ['disks'],
  errors: { 'hello/shy': 'refused' },
  verbs: [
    {
      words: 'hello greet',
      about: 'greet somebody',
      example: 'sltv hello greet world --loud',
      role: 'viewer',
      gives: 'item',
      args: [{ ...field, name: 'who', type: 'text', about: 'whom' }],
      options: [
        { ...field, name: 'loud', type: 'flag', about: 'shout' },
        { ...field, name: 'keepFree', type: 'size', about: 'how much', optional: true },
        { ...field, name: 'after', type: 'duration', about: 'how soon', optional: true },
        { ...field, name: 'since', type: 'time', about: 'from when', optional: true },
        { ...field, name: 'times', type: 'count', about: 'how often', optional: true },
        { ...field, name: 'tone', type: 'text', about: 'how', optional: true, choices: ['warm', 'cold'] },
        { ...field, name: 'tag', type: 'text', about: 'any number', optional: true, list: true },
      ],
      result: [
        { ...field, name: 'words', type: 'text', about: 'what was said' },
        { ...field, name: 'keptFree', type: 'size', about: 'how much' },
        { ...field, name: 'at', type: 'time', about: 'when' },
        { ...field, name: 'took', type: 'duration', about: 'how long' },
        { ...field, name: 'isLoud', type: 'flag', about: 'whether' },
      ],
    },
    {
      words: 'hello watch door',
      about: 'say who comes',
      example: 'sltv hello watch door',
      role: 'viewer',
      gives: 'stream',
      args: [],
      options: [],
      result: [{ ...field, name: 'who', type: 'text', about: 'who came' }],
    },
    {
      words: 'hello forget',
      about: 'forget names',
      example: 'sltv hello forget ann bob',
      role: 'admin',
      gives: 'nothing',
      args: [{ ...field, name: 'names', type: 'text', about: 'whom', list: true }],
      options: [],
      result: [],
    },
  ],
};

/** By method. */
export const answers: Readonly<Record<string, Recorded>> = {
  'Sltv/CreateDisk': { message: web1 },
  'Sltv/ListDisks': { message: { disks: [web1, db] } },
  'Sltv/GetDisk': { message: db },
  'Sltv/ExtendDisk': { message: db },
  'Sltv/ResizeDisk': { message: web1 },
  'Sltv/AdoptDisks': { message: { adoptions } },
  'Sltv/ForgetDisk': { message: {} },
  'Sltv/AttachDisk': { message: inVm },
  'Sltv/DetachDisk': { message: {} },
  'Sltv/DeleteDisk': { message: {} },
  'Sltv/ListAttachments': { message: { attachments: [inVm] } },
  'Sltv/GetNodeStatus': { message: node },
  'Sltv/GetClusterStatus': {
    message: { enabled: false, leader: '', nodes: [node], diskCount: 2, attachmentCount: 1 },
  },
  'PoolService/ListPools': { message: { pools: [vgFast, images] } },
  'PoolService/GetPool': { message: { pool: vgFast } },
  'PoolService/CreatePool': { message: { pool: vgFast } },
  'PoolService/ExtendPool': { message: { pool: vgFast } },
  'PoolService/SharePool': { message: { pool: vgFast } },
  'PoolService/TakePool': { message: { pool: vgFast } },
  'PoolService/AcceptPool': { message: { pool: vgFast } },
  'PoolService/ShellPool': { message: { code: 0, stdout: '  LV   VG\n  web1 p\n', stderr: '' } },
  'NodeService/ListNodes': { message: { nodes } },
  'NodeService/FenceNode': { message: { node: { ...nodes[1], fenced: true } } },
  'NodeService/RetireNode': { message: {} },
  'ClusterService/RecoverCluster': { message: { nodes: ['kvm1', 'kvm2'] } },
  'OperationService/ListOperations': { message: { operations } },
  'OperationService/CancelOperation': { message: {} },
  'VmService/ListVms': { message: { vms } },
  'PluginService/List': { message: { plugins: [hello] } },
  'PluginService/Call': {
    message: {
      results: [
        { words: 'Hello, world', keptFree: '1073741824', at: '2026-11-20T18:14:05Z', took: 1500, isLoud: true },
      ],
    },
  },
  'PluginService/Watch': { stream: [{ result: { who: 'ann' } }, { result: { who: 'bob' } }] },
};
