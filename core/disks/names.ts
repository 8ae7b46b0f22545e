// What a disk may be called.
import type { Pool } from '../capabilities/storage.ts';
import { coreErrors } from '../errors.ts';

/** Refuses a name that no pool could keep, or that this pool can't. Errors: `core/bad-name`. */
export function checkName(name: string, pool: Pool): void {
  const objection = objectionTo(name) ?? pool.objectsTo?.(name);
  if (objection !== undefined) {
    const [, bare] = /^[^/]+\/([A-Za-z0-9][A-Za-z0-9_.-]*)$/.exec(name) ?? [];
    throw coreErrors('bad-name', `'${shortened(name)}' can't be a disk's name: ${objection}`, {
      hint:
        bare !== undefined
          ? `give the pool apart: ${bare} --pool ${name.slice(0, name.indexOf('/'))}`
          : 'letters, digits and _ . - , beginning with a letter or digit, at most 63 characters, such as web01-data',
    });
  }
}

function objectionTo(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.length > 63) return `it has ${name.length} characters, 63 are the most`;
  if (!/^[A-Za-z0-9]/.test(name)) return 'it must begin with a letter or a digit';
  const odd = /[^A-Za-z0-9_.-]/.exec(name);
  if (odd) return `it has ${JSON.stringify(odd[0])} in it`;
  if (/\.\d+$/.test(name)) return 'a dot and digits at the end are how layers of a disk are called';
  return undefined;
}

const shortened = (name: string) => (name.length > 40 ? `${name.slice(0, 40)}…` : name);
