// What plugins know of a disk, as messages.
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Disk, DiskFacts } from '../capabilities/disks.ts';
import { asSltvError } from '../errors.ts';
import { isRecord } from '../kernel/definition.ts';
import type { Field, FieldType } from '../kernel/verb.ts';
import type { Log } from '../log.ts';
import type { DiskFactSchema } from './gen/sltv/v1/sltv_pb.ts';

type Message = MessageInitShape<typeof DiskFactSchema>;

/** The facts of all providers, in their order. One that fails, or says what it did not declare, harms its own lines only. */
export function factsAbout(disk: Disk, providers: readonly DiskFacts[], log: Log): Message[] {
  const about = log.with({ disk: `${disk.pool}/${disk.name}` });
  return providers.flatMap((provider) => {
    try {
      const said: unknown = provider.of(disk);
      if (said === undefined) return [];
      if (!isRecord(said)) throw new Error(`it said ${said}`);
      return declaredFacts(provider.fields, said, about);
    } catch (error) {
      about.warn('a plugin could not say what it knows of a disk', { error: asSltvError(error) });
      return [];
    }
  });
}

function declaredFacts(
  fields: DiskFacts['fields'],
  said: Readonly<Record<string, unknown>>,
  log: Log,
): readonly Message[] {
  for (const name of Object.keys(said).filter((key) => !Object.hasOwn(fields, key))) {
    log.warn('a plugin said of a disk what it did not declare', { fact: name });
  }
  return Object.entries(fields).flatMap(([name, field]) => {
    const value = said[name];
    if (value === undefined) return [];
    const values = wordsOf(field, value);
    if (values !== undefined)
      return [{ name, type: field.type, about: field.about, list: field.list ?? false, values }];
    log.warn('a plugin said of a disk what is not of the type that it declared', { fact: name, type: field.type });
    return [];
  });
}

/** Undefined when one of them is not what the field declares. */
function wordsOf({ type, list }: Field, value: unknown): string[] | undefined {
  if (Array.isArray(value) !== (list ?? false)) return undefined;
  const words = [value].flat().map((each) => WORDS[type](each));
  return words.every((word) => word !== undefined) ? words : undefined;
}

const whole = (value: unknown) => (Number.isSafeInteger(value) ? String(value) : undefined);

/** As a plugin's verbs write them on the wire. */
const WORDS: Readonly<Record<FieldType, (value: unknown) => string | undefined>> = {
  text: (value) => (typeof value === 'string' ? value : undefined),
  size: (value) => (typeof value === 'bigint' && value >= 0n ? String(value) : undefined),
  count: whole,
  duration: (value) => (typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined),
  flag: (value) => (typeof value === 'boolean' ? String(value) : undefined),
  time: (value) => (value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined),
};
