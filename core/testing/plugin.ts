// What a plugin's author says, so that `sltv plugin test` can hold what it provides to the suites.
//
// Export it by the name `conformance`, from the plugin's own file or from one beside it that exports the plugin as `default`:
//
//   const locksOf = async ({ folder, boot }: Bench) => (await boot([mine({ folder })])).get(Locks);
//   export const conformance: Conformance = {
//     locks: { make: async (bench) => ({ locks: await locksOf(bench) }), another: locksOf },
//   };
//
// Each part is named as the capability it is about, and is that suite's subject: how to make a fresh one for each case, and
// what else you can help to find out. The options that your plugin needs are those that you give it there.
import type { Log } from '../log.ts';
import { type Bench, openBench } from './bench.ts';
import { type Case, casesOf, type Subject } from './case.ts';
import { type ClusterSubject, type ClusterUnderTest, clusterConformance } from './cluster.ts';
import { type HypervisorUnderTest, hypervisorConformance } from './hypervisor.ts';
import { type LocksSubject, type LocksUnderTest, locksConformance } from './locks.ts';
import { type MetricsSubject, type MetricsUnderTest, metricsConformance } from './metrics.ts';
import { type StorageSubject, type StorageUnderTest, storageConformance } from './storage.ts';

/** A suite's subject, made on a bench, which also takes it away. */
type OnBench<S, T extends AsyncDisposable> = Omit<S, 'name' | 'make'> & {
  make(bench: Bench): Promise<Omit<T, keyof AsyncDisposable>>;
};

export interface Conformance {
  readonly storage?: OnBench<StorageSubject<StorageUnderTest & Bench>, StorageUnderTest>;
  readonly locks?: OnBench<LocksSubject<LocksUnderTest & Bench>, LocksUnderTest>;
  readonly hypervisor?: OnBench<Subject<HypervisorUnderTest & Bench>, HypervisorUnderTest>;
  readonly cluster?: OnBench<ClusterSubject<ClusterUnderTest & Bench>, ClusterUnderTest>;
  readonly metrics?: OnBench<MetricsSubject<MetricsUnderTest & Bench>, MetricsUnderTest>;
}

/** The capabilities that have a suite, by their ids. */
export const SUITES = [
  'storage',
  'locks',
  'hypervisor',
  'cluster',
  'metrics',
] as const satisfies readonly (keyof Conformance)[];

export interface SuiteOptions {
  /** The plugin's. */
  readonly name: string;
  readonly conformance: Conformance;
  /** A folder to make the cases' own in. */
  readonly root: string;
  readonly log: Log;
  /** Milliseconds that one case may take; undefined: as the conformance says. */
  readonly patience: number | undefined;
}

/** The suites that the conformance names. The first case of each finds out whether there is anything to test. */
export function suitesOf({ name, conformance, root, log, patience }: SuiteOptions): readonly (readonly Case[])[] {
  const { storage, locks, hypervisor, cluster, metrics } = conformance;
  const suite = <T extends AsyncDisposable, S extends OnBench<Subject<T & Bench>, T>>(
    capability: string,
    subject: S | undefined,
    casesFor: (subject: S & Subject<T & Bench>) => readonly Case[],
  ): readonly (readonly Case[])[] => {
    if (subject === undefined) return [];
    const complete = {
      ...subject,
      ...(patience === undefined ? {} : { patience }),
      name: `${name} ${capability}`,
      make: () => makeOn(root, log, subject),
    };
    return [[...casesOf<T & Bench>(complete, { 'it comes up, and stops': async () => {} }), ...casesFor(complete)]];
  };
  return [
    ...suite<StorageUnderTest, NonNullable<typeof storage>>('storage', storage, storageConformance),
    ...suite<LocksUnderTest, NonNullable<typeof locks>>('locks', locks, locksConformance),
    ...suite<HypervisorUnderTest, NonNullable<typeof hypervisor>>('hypervisor', hypervisor, hypervisorConformance),
    ...suite<ClusterUnderTest, NonNullable<typeof cluster>>('cluster', cluster, clusterConformance),
    ...suite<MetricsUnderTest, NonNullable<typeof metrics>>('metrics', metrics, metricsConformance),
  ];
}

/** What the author made, and the bench that it stands on, as one. */
async function makeOn<T extends AsyncDisposable>(
  root: string,
  log: Log,
  { make }: { make(bench: Bench): Promise<Omit<T, keyof AsyncDisposable>> },
): Promise<T & Bench> {
  await using undo = new AsyncDisposableStack();
  const bench = undo.use(await openBench(root, log));
  const made = await make(bench);
  undo.move();
  // The bench gives the disposal that was left out of T.
  return { ...made, ...bench } as T & Bench;
}
