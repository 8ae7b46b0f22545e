// What a policy is asked with: a disk of 10 GiB for a guest of 100, half full and idle, unless a test says otherwise.
import fc from 'fast-check';
import { GiB, MiB } from '../../../core/units.ts';
import type { Sample } from '../../../plugins/autoextend/policy.ts';

export const sample = (more: Partial<Sample> = {}): Sample => ({
  disk: { pool: 'vg0', name: 'web01' },
  physical: 10n * GiB,
  virtual: 100n * GiB,
  fill: 5n * GiB,
  rate: 0,
  poolFree: 1000n * GiB,
  extent: 4n * MiB,
  extensionTime: 300,
  step: undefined,
  history: [],
  ...more,
});

const upTo = (max: bigint) => fc.bigInt({ min: 0n, max });

/** Any disk that can be; QEMU counts a write that failed, so what is written may pass the end a little. */
export const anySample: fc.Arbitrary<Sample> = fc
  .record({
    extents: fc.bigInt({ min: 1n, max: 4_000_000n }),
    virtual: fc.bigInt({ min: MiB, max: 16_384n * GiB }),
    part: upTo(1_000_000n),
    beyond: upTo(2n * MiB),
    rate: fc.double({ min: 0, max: 1e10, noNaN: true }),
    extensionTime: fc.double({ min: 0, max: 60_000, noNaN: true }),
    step: fc.option(fc.bigInt({ min: 1n, max: 500n * GiB }), { nil: undefined }),
  })
  .map(({ extents, part, beyond, ...rest }) => {
    const physical = extents * 4n * MiB;
    return sample({ ...rest, physical, fill: (physical * part) / 1_000_000n + (part === 1_000_000n ? beyond : 0n) });
  });
