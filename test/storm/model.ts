// What must stand in the VG by all that the hosts wrote down. Of a commit that nobody saw end either may be: what was there,
// or what it meant; the next one who looks under the lock tells which.
import type { Line, State } from './ledger.ts';

export interface Model {
  /** Lines in their order, of all hosts, up to a moment at which no commit was under way. `forgot`: etcd has, meanwhile. */
  follow(lines: readonly Line[], forgot: boolean): void;
  /** What stands there now. */
  compare(actual: ReadonlyMap<string, State>): void;
  /** What could not be, in sentences: every one is a lost update, or somebody who wrote without the lock. */
  readonly wrong: readonly string[];
  readonly counts: Counts;
}

export interface Counts {
  /** Operations whose caller was told that they are done. */
  acknowledged: number;
  commits: number;
  /** Turns that ended in an error, by its code. */
  readonly failed: Map<string, number>;
  /** Turns that a crash cut off. */
  cutOff: number;
}

export function createModel(): Model {
  const possible = new Map<string, ReadonlySet<State>>();
  /** What is under way, and how many operations of it are done. */
  const underWay = new Map<string, number>();
  const wrong: string[] = [];
  const counts: Counts = { acknowledged: 0, commits: 0, failed: new Map(), cutOff: 0 };

  function expect(disk: string, found: State, by: string): void {
    const before = possible.get(disk) ?? new Set(['']);
    if (!before.has(found)) wrong.push(`${disk}: ${by} '${found}', and it was '${[...before].join("' or '")}'`);
  }

  function follow(line: Line, forgot: boolean): void {
    switch (line.is) {
      case 'asks':
        underWay.set(line.act, 0);
        return;
      case 'did':
        underWay.set(line.act, (underWay.get(line.act) ?? 0) + 1);
        return;
      case 'begins':
        expect(line.disk, line.seen, `${line.host} saw`);
        possible.set(line.disk, new Set([line.seen, line.means]));
        return;
      case 'made':
        counts.commits += 1;
        expect(line.disk, line.got, `${line.host} made`);
        possible.set(line.disk, new Set([line.got]));
        return;
      case 'ends':
        if (line.as === 'acknowledged') counts.acknowledged += underWay.get(line.act) ?? 0;
        else counts.failed.set(line.as, (counts.failed.get(line.as) ?? 0) + 1);
        if (!mayEnd(line.as, forgot)) wrong.push(`${line.host} failed: ${line.because} [${line.as}, ${line.act}]`);
        underWay.delete(line.act);
    }
  }

  return {
    follow(lines, forgot) {
      for (const line of lines) follow(line, forgot);
    },
    compare(actual) {
      counts.cutOff += underWay.size;
      underWay.clear();
      for (const disk of new Set([...possible.keys(), ...actual.keys()])) {
        expect(disk, actual.get(disk) ?? '', 'there is');
        possible.set(disk, new Set([actual.get(disk) ?? '']));
      }
    },
    wrong,
    counts,
  };
}

/** How a turn may end while hosts, etcd and the network break. What else a VG can refuse, nobody may meet who sees it alone. */
function mayEnd(as: string, forgot: boolean): boolean {
  if (as === 'etcd-lock/halted') return forgot;
  return ['acknowledged', 'told to rest', 'lvm/lock-lost'].includes(as) || as.startsWith('etcd-lock/');
}

/**
 * What was acknowledged and is not there, where nothing kept hosts apart, so that the lines' order proves little: disks that
 * were last touched by one commit of a turn that ended well, with nobody else at it, and are not as that one made them.
 */
export function lostAmong(lines: readonly Line[], actual: ReadonlyMap<string, State>): string[] {
  const touched = lines.flatMap((line) =>
    line.is === 'begins' || line.is === 'made' || line.is === 'failed' ? [line] : [],
  );
  return [...Map.groupBy(touched, ({ disk }) => disk)].flatMap(([disk, steps]) => {
    const [begin, end] = steps.slice(-2);
    if (begin?.is !== 'begins' || end?.is !== 'made' || begin.act !== end.act) return [];
    const isAcknowledged = lines.slice(lines.indexOf(end)).some(({ is, act }) => is === 'left' && act === end.act);
    const open = new Set<string>();
    for (const step of steps.slice(0, -2)) step.is === 'begins' ? open.add(step.act) : open.delete(step.act);
    const there = actual.get(disk) ?? '';
    return !isAcknowledged || open.size > 0 || there === end.got
      ? []
      : [`${disk}: ${end.host} was told that it is '${end.got}', and it is ${there === '' ? 'gone' : `'${there}'`}`];
  });
}
