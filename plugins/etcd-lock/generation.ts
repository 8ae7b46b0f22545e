// Whether the store is what it was: from what it says of itself and what this node remembers of it. Pure.

/** What a node keeps of the store. */
export interface Remembered {
  readonly clusterId: string;
  readonly n: number;
  readonly uuid: string;
  /** The highest revision that any answer had. */
  readonly revision: bigint;
  /**
   * What this node wrote last of all that is never taken away, its own entry among the members or a mark, and at which
   * revision; 0n: nothing in this generation.
   */
  readonly spoken: bigint;
  readonly spokenAt: string;
}

/** What the store says. */
export interface Told {
  readonly clusterId: string | undefined;
  readonly generation: { readonly n: number; readonly uuid: string } | undefined;
  readonly revision: bigint;
  /** At which the key `spokenAt` was written last; undefined: there is none. */
  readonly spoken: bigint | undefined;
}

export type Judgement =
  | { readonly is: 'as-it-was' }
  /** Nobody was here before, neither we nor others. */
  | { readonly is: 'new' }
  /** Others were here before us, or it was recovered since. */
  | { readonly is: 'ahead'; readonly clusterId: string; readonly n: number; readonly uuid: string }
  /** It tells less than was known of it. `isOurs`: it is for all nodes to know. */
  | { readonly is: 'forgetful'; readonly because: string; readonly isOurs: boolean };

export function judge(remembered: Remembered | undefined, told: Told): Judgement {
  const { clusterId, generation } = told;
  if (clusterId === undefined || generation === undefined) {
    if (remembered === undefined) return { is: 'new' };
    return forgetful('etcd has lost what it knew of this cluster: it was emptied');
  }
  if (remembered === undefined) return { is: 'ahead', clusterId, ...generation };
  if (clusterId !== remembered.clusterId) {
    const because = `etcd is another cluster’s: ${clusterId}, and this node belongs to ${remembered.clusterId}`;
    return { is: 'forgetful', because, isOurs: false };
  }
  if (generation.n > remembered.n) return { is: 'ahead', clusterId, ...generation };
  if (generation.n < remembered.n) {
    return forgetful(`etcd was restored: it is at generation ${generation.n}, and ${remembered.n} was seen`);
  }
  if (generation.uuid !== remembered.uuid) {
    return forgetful(`etcd was restored and recovered twice: there are two generations ${generation.n}`);
  }
  if (told.revision < remembered.revision) {
    return forgetful(`etcd was restored: it is at revision ${told.revision}, and ${remembered.revision} was seen`);
  }
  // A restored etcd may have got past the revision since, but what was written here in between is lost.
  if (remembered.spoken > 0n && (told.spoken === undefined || told.spoken < remembered.spoken)) {
    return forgetful(`etcd was restored: what this node wrote at revision ${remembered.spoken} is not there`);
  }
  return { is: 'as-it-was' };
}

const forgetful = (because: string): Judgement => ({ is: 'forgetful', because, isOurs: true });
