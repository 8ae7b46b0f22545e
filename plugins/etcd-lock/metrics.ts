// How it goes with etcd, as a source of metrics, and how long each request takes.
import {
  type Cluster,
  certificateExpiry,
  counter,
  type Distribution,
  durationBounds,
  type Event,
  gauge,
  Measured,
  type MetricSource,
} from 'sltv';
import type { Certificate } from './certificates.ts';
import type { Kv } from './kv.ts';
import type { Session } from './session.ts';

export interface Telling {
  readonly cluster: Pick<Cluster, 'trouble' | 'silent'>;
  readonly session: Pick<Session, 'losses'>;
  readonly certificates: readonly Certificate[];
}

/** Told from memory: etcd is not asked. */
export function metricsOf({ cluster, session, certificates }: Telling): MetricSource {
  return {
    name: 'etcd-lock',
    collect() {
      const state = cluster.trouble()?.state;
      return [
        gauge('sltv_etcd_up', 'whether etcd answers this node', state !== 'unreachable'),
        gauge('sltv_etcd_halted', 'whether all locks are refused until a person acts', state === 'halted'),
        counter(
          'sltv_etcd_leases_lost_total',
          'how often this node lost its lease in etcd, and with it every lock that it had',
          session.losses(),
        ),
        gauge(
          'sltv_etcd_silent_holders',
          'locks that somebody here waits for and whose holder does not answer',
          cluster.silent().length,
        ),
        ...(certificates.length > 0 ? [certificateExpiry(certificates)] : []),
      ];
    },
  };
}

const Request: Distribution = {
  name: 'sltv_etcd_request_duration_seconds',
  help: 'how long requests to etcd took, by what was asked and whether it was answered',
  labels: ['request', 'result'],
  bounds: durationBounds,
};

/** The same store, of whose every request it is told how long it took. */
export function measured(kv: Kv, emit: <T>(event: Event<T>, what: T) => void): Kv {
  const timed = async <T>(request: string, ask: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    let result = 'error';
    try {
      const answer = await ask();
      result = 'ok';
      return answer;
    } finally {
      emit(Measured, { of: Request, value: (performance.now() - begun) / 1000, labels: { request, result } });
    }
  };
  return {
    txn: (txn) => timed('txn', () => kv.txn(txn)),
    grant: (ttl) => timed('grant', () => kv.grant(ttl)),
    keepAlive: (lease) => timed('keepalive', () => kv.keepAlive(lease)),
    revoke: (lease) => timed('revoke', () => kv.revoke(lease)),
    watch: (keys, changed) => kv.watch(keys, changed),
    close: () => kv.close(),
  };
}
