// etcd as the protocol sees it. The only file that knows the npm package etcd3, which is used for its transport alone: its
// own locks and leases hide what a holder must know, and its watches can lose events after a second disconnect.
import type { Etcd3, ICompare, IKeyValue, IRangeRequest, IRequestOp, IResponseOp } from 'etcd3';
import { createEndpoints, type EtcdOptions } from './endpoints.ts';
import { type Compare, type Entry, type KeptAlive, type Keys, type Kv, LeaseGone, type Op, type Txn } from './kv.ts';
import { isLeaseGone } from './words.ts';

export type { EtcdOptions } from './endpoints.ts';

/** Milliseconds within which an unary call has an answer, or has failed. */
const DEADLINE = 3_000;
/** Milliseconds between two attempts to watch. */
const AGAIN = 200;

/** Connects at the first call. Errors: `etcd-lock/bad-file`. */
export async function createEtcdKv(options: EtcdOptions): Promise<Kv> {
  const endpoints = await createEndpoints({ deadline: DEADLINE, ...options });
  return {
    async txn(txn) {
      const request = {
        compare: txn.when.map(compareOf),
        success: txn.act.map(opOf),
        failure: txn.otherwise.map(opOf),
      };
      const isRead = [...txn.act, ...txn.otherwise].every((op) => 'get' in op);
      try {
        const answer = await endpoints.call(isRead, (etcd, call) => etcd.kv.txn(request, call));
        return {
          holds: answer.succeeded,
          found: answer.responses.map(entriesOf),
          revision: BigInt(answer.header.revision),
        };
      } catch (error) {
        throw isLeaseGone(error) ? new LeaseGone(leasesOf(txn).join(', '), error) : error;
      }
    },
    async grant(ttl) {
      const { ID, TTL } = await endpoints.call(true, (etcd, call) => etcd.leaseClient.leaseGrant({ TTL: ttl }, call));
      return { id: ID, ttl: Number(TTL) };
    },
    keepAlive: (lease) => endpoints.call(true, (etcd, { deadline }) => keepAlive(etcd, lease, deadline)),
    async revoke(lease) {
      try {
        await endpoints.call(true, (etcd, call) => etcd.leaseClient.leaseRevoke({ ID: lease }, call));
      } catch (error) {
        if (!isLeaseGone(error)) throw error;
      }
    },
    watch(keys, changed) {
      let stop = () => {};
      let isOver = false;
      let timer: NodeJS.Timeout | undefined;
      const begin = () => {
        stop = endpoints.hold((etcd, isGone) => watchOn(etcd, keys, changed, isGone), again);
      };
      const again = () => {
        if (!isOver) timer = setTimeout(begin, AGAIN);
      };
      begin();
      return {
        [Symbol.dispose]() {
          isOver = true;
          clearTimeout(timer);
          stop();
        },
      };
    },
    close: () => endpoints.close(),
  };
}

/** One question, one answer: what the stream is for, a row of them, would hide when each was asked. */
async function keepAlive(etcd: Etcd3, lease: string, deadline: number): Promise<KeptAlive> {
  const stream = await etcd.leaseClient.leaseKeepAlive({ deadline });
  try {
    return await new Promise<KeptAlive>((resolve, reject) => {
      stream.on('data', ({ TTL, header }) => resolve({ ttl: Number(TTL), revision: BigInt(header.revision) }));
      stream.on('error', reject);
      stream.on('end', () => reject(new Error('etcd ended the call without an answer')));
      stream.write({ ID: lease });
    });
  } finally {
    hangUp(stream);
  }
}

/**
 * A stream that is cancelled while it can still be written to counts as a failure of the host for etcd3, which then closes all
 * of its channels, with every call that is just about to begin.
 */
function hangUp(stream: { end(): void; cancel(): void }): void {
  stream.end();
  stream.cancel();
}

/** Watches until something goes wrong; from now on, not from a revision, because whoever is told looks for himself. */
function watchOn(etcd: Etcd3, keys: readonly Keys[], changed: () => void, isGone: () => void): () => void {
  let stop = () => {};
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    stop();
    isGone();
  };
  etcd.watchClient.watch().then((stream) => {
    stop = () => hangUp(stream);
    stream.on('error', end);
    stream.on('end', end);
    let begun = 0;
    stream.on('data', ({ created, canceled }) => {
      if (canceled) return end();
      if (created) begun += 1;
      if (!isOver && begun === keys.length) changed();
    });
    if (isOver) return stop();
    for (const range of keys) stream.write({ create_request: rangeOf(range) });
  }, end);
  return () => {
    isOver = true;
    stop();
  };
}

const rangeOf = ({ key, end }: Keys) => ({
  key: Buffer.from(key),
  ...(end === undefined ? {} : { range_end: Buffer.from(end) }),
});

function compareOf(compare: Compare): ICompare {
  const keys = rangeOf(compare);
  if ('mod' in compare) return { ...keys, target: 'Mod', result: 'Equal', mod_revision: String(compare.mod) };
  if ('value' in compare) return { ...keys, target: 'Value', result: 'Equal', value: Buffer.from(compare.value) };
  // A range without keys compares as one that came to be at 0: applyCompare in etcd's server/etcdserver/apply.go.
  return { ...keys, target: 'Create', result: compare.is === 'absent' ? 'Equal' : 'NotEqual', create_revision: '0' };
}

function opOf(op: Op): IRequestOp {
  if ('get' in op) {
    const order: IRangeRequest = { sort_target: 'Create', sort_order: 'Ascend' };
    return { request_range: { ...rangeOf(op.get), ...order } };
  }
  if ('remove' in op) return { request_delete_range: rangeOf(op.remove) };
  const { key, value, lease } = op.put;
  return {
    request_put: { key: Buffer.from(key), value: Buffer.from(value), ...(lease === undefined ? {} : { lease }) },
  };
}

const entriesOf = (answer: IResponseOp): readonly Entry[] => answer.response_range?.kvs.map(entryOf) ?? [];

const entryOf = ({ key, value, mod_revision, create_revision }: IKeyValue): Entry => ({
  key: key.toString(),
  value: value.toString(),
  mod: BigInt(mod_revision),
  created: BigInt(create_revision),
});

const leasesOf = ({ act, otherwise }: Txn): readonly string[] => [
  ...new Set([...act, ...otherwise].flatMap((op) => ('put' in op && op.put.lease ? [op.put.lease] : []))),
];
