// What virsh's tables and statistics say, as data. Recorded from libvirt 9.0 in test/fixtures/virsh.
import type { BlockStatistics, DiskError, VmState } from 'sltv';
import { fail } from './errors.ts';

/** `list --all --uuid --name`: uuids by name. Older virshs pad the names. */
export function readList(text: string): ReadonlyMap<string, string> {
  const rows = text.matchAll(/^([0-9a-f-]{36}) +(.+)$/gm);
  return new Map([...rows].map(([, uuid = '', name = '']) => [name.trimEnd(), uuid]));
}

export interface DomainInfo {
  readonly uuid: string;
  readonly name: string;
  readonly state: VmState;
  readonly isPersistent: boolean;
}

/** `dominfo`: fields in a column of 16 characters. */
export function readInfo(text: string): DomainInfo {
  const field = (name: string): string => {
    const line = text.split('\n').find((each) => each.startsWith(`${name}:`));
    if (line === undefined) throw fail('bad-answer', `virsh dominfo says nothing of '${name}'`, { cause: text });
    return line.slice(INFO_COLUMN);
  };
  const state = field('State');
  return {
    uuid: field('UUID'),
    name: field('Name'),
    state: field('Id') === '-' ? 'off' : PAUSED_WORDS.includes(state) ? 'paused' : 'running',
    isPersistent: field('Persistent') === 'yes',
  };
}

const INFO_COLUMN = 16;
/** QEMU is there and the guest stands still. */
const PAUSED_WORDS = ['paused', 'crashed', 'pmsuspended'];

export interface BlockFields {
  readonly target: string;
  readonly path: string | undefined;
  readonly allocation: bigint | undefined;
  readonly physical: bigint | undefined;
  readonly capacity: bigint | undefined;
  /** Undefined where the VM was busy: then libvirt knows what disks it has, and no numbers. */
  readonly writtenBytes: bigint | undefined;
  readonly threshold: bigint | undefined;
}

export interface DomainStats {
  readonly name: string;
  readonly state: VmState;
  readonly stopped: BlockStatistics['stopped'];
  readonly blocks: readonly BlockFields[];
}

/** `domstats --state` with or without `--block`: a paragraph a VM. */
export function readStats(text: string): readonly DomainStats[] {
  return text.split(/^(?=Domain: ')/m).flatMap((paragraph) => {
    const name = /^Domain: '(.*)'$/m.exec(paragraph)?.[1];
    if (name === undefined) return [];
    const fields = new Map(
      [...paragraph.matchAll(/^ {2}([^=\n]+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
    );
    const count = Number(fields.get('block.count') ?? 0);
    const blocks = Array.from({ length: count }, (_, index) => readBlock((key) => fields.get(`block.${index}.${key}`)));
    const state = stateOf(fields.get('state.state'));
    return [{ name, state, stopped: stoppedBy(state, fields), blocks }];
  });
}

function readBlock(field: (key: string) => string | undefined): BlockFields {
  const number = (key: string) => {
    const word = field(key);
    return word === undefined ? undefined : BigInt(word);
  };
  return {
    target: field('name') ?? '',
    path: field('path'),
    allocation: number('allocation'),
    physical: number('physical'),
    capacity: number('capacity'),
    writtenBytes: number('wr.bytes'),
    // 0 is QEMU's own word for none.
    threshold: number('threshold') || undefined,
  };
}

/** virDomainState; a crashed domain (6) or one in S3 (7) still has its QEMU. */
function stateOf(word: string | undefined): VmState {
  return word === '5' ? 'off' : word === '3' || word === '6' || word === '7' ? 'paused' : 'running';
}

/** virDomainPausedReason; the same number means something else while it runs. */
function stoppedBy(state: VmState, fields: ReadonlyMap<string, string>): BlockStatistics['stopped'] {
  if (state !== 'paused') return undefined;
  return fields.get('state.state') === '3' && fields.get('state.reason') === '5' ? 'io-error' : 'other';
}

/** `domblkerror`: a line for each disk, `vda: no space`, or one that says that there is none. */
export function readDiskErrors(text: string): readonly DiskError[] {
  const lines = text.matchAll(/^(\S+): (.+)$/gm);
  return [...lines].map(([, target = '', reason]) => ({
    target,
    reason: reason === 'no space' ? 'no-space' : 'other',
  }));
}
