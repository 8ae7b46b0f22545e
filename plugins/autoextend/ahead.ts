// The default policy: as far ahead of the guest as its own speed and the time of an extension ask for.
import { GiB, larger, MiB } from 'sltv';
import { fail } from './errors.ts';
import type { Policy } from './policy.ts';
import { bytesOf, type SizeWord, within } from './sizes.ts';

export interface AheadOptions {
  /**
   * What a guest finds free at any time. Least: a quarter of the virtual size, between 64 MiB and 1 GiB, when not
   * given: what a disk that was idle until now may be hit with. Most: 32 GiB.
   */
  readonly headroom?: { readonly least?: SizeWord; readonly most?: SizeWord };
  /**
   * What a disk grows by. Least: as its headroom. Most: 256 GiB. Between the two, an eighth of what it has, or what its guest
   * writes in `seconds`, whichever is more: so a disk of 1 TiB has had some sixty extensions, not a thousand.
   */
  readonly step?: { readonly least?: SizeWord; readonly most?: SizeWord };
  /** How long a step lasts a guest that goes on at its present speed; 30 when not given. */
  readonly seconds?: number;
  /** How many extensions, one after the other, the headroom outlasts; 4 when not given. */
  readonly safety?: number;
}

/** Errors: `core/bad-size`; `autoextend/bad-headroom` for none. */
export function ahead({ headroom = {}, step = {}, seconds = 30, safety = 4 }: AheadOptions = {}): Policy {
  const leastHeadroom = headroom.least === undefined ? undefined : bytesOf(headroom.least);
  if (leastHeadroom === 0n) {
    throw fail('bad-headroom', 'a guest that finds nothing free stops before anybody hears of it', {
      hint: "give headroom.least a size above 0, such as '64M'",
    });
  }
  const mostHeadroom = bytesOf(headroom.most ?? '32G');
  const leastStep = step.least === undefined ? undefined : bytesOf(step.least);
  const mostStep = bytesOf(step.most ?? '256G');
  return ({ physical, virtual, fill, rate, extensionTime, step: own }) => {
    const least = leastHeadroom ?? within(virtual / 4n, 64n * MiB, GiB);
    const inTime = BigInt(Math.ceil((rate * extensionTime * safety) / 1000));
    const free = within(inTime, least, larger(least, mostHeadroom));
    if (fill + free < physical) return { armAt: physical - free };
    const atItsSpeed = BigInt(Math.ceil(rate * seconds));
    const grows =
      own ?? within(larger(physical / 8n, atItsSpeed), leastStep ?? free, larger(leastStep ?? free, mostStep));
    // From what the guest has reached: one that is behind catches up in one step.
    const extendTo = larger(physical, fill + free) + grows;
    return { extendTo, armAt: extendTo - free };
  };
}
