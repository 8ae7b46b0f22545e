// What a line of `virsh event --all --loop --timestamp` says. Recorded from libvirt 9.0 in test/fixtures/virsh.
import type { HypervisorEvent } from 'sltv';

/** An event of a VM by its name, as virsh knows it. */
export type Heard = Unnamed & { readonly name: string };
type Unnamed = WithoutVm<Exclude<HypervisorEvent, { type: 'connected' }>>;
/** An I/O error comes with the device's alias: the target has to be looked up. */
type WithoutVm<E> = E extends { type: 'io-error' }
  ? Omit<E, 'vm' | 'target'> & { readonly alias: string }
  : E extends HypervisorEvent
    ? Omit<E, 'vm'>
    : never;

/**
 * The event; undefined for a line that is none, or one that doesn't concern disks. Of what libvirt tells twice only one
 * counts: `block-threshold` by target (the other is by the image's index, `vda[2]`), `block-job-2` and `io-error-reason`.
 */
export function readEvent(line: string): Heard | undefined {
  const [, type = '', rest = ''] = /^\S+ \S+: event '([a-z0-9-]+)' for domain (.*)$/.exec(line) ?? [];
  return READERS[type]?.(rest);
}

const READERS: Readonly<Record<string, (rest: string) => Heard | undefined>> = {
  lifecycle: reader(/(?<change>\w+) ?(?<detail>.*)/, ({ change = '', detail = '' }) => ({
    type: 'vm',
    change: CHANGES[change] ?? 'other',
    detail,
  })),
  'device-added': reader(/(?<device>.+)/, ({ device = '' }) => ({ type: 'device-added', device })),
  'device-removed': reader(/(?<device>.+)/, ({ device = '' }) => ({ type: 'device-removed', device })),
  'block-threshold': reader(
    /dev: (?<target>[^\s[(]+)\((?<path>.*)\) (?<threshold>\d+) (?<excess>\d+)/,
    ({ target = '', path = '', threshold = '', excess = '' }) => ({
      type: 'threshold',
      target,
      path,
      threshold: BigInt(threshold),
      excess: BigInt(excess),
    }),
  ),
  'io-error-reason': reader(
    /(?<path>.*) \((?<alias>[^()]*)\) \w+ due to (?<reason>.*)/,
    ({ path = '', alias = '', reason = '' }) => ({ type: 'io-error', path, alias, reason }),
  ),
  // Of an image further down the chain it may come by that image's index, too; it is the same device.
  'block-job-2': reader(/.+ for (?<target>[^\s[]+)(?:\[\d+\])? (?<status>\w+)/, ({ target = '', status = '' }) => ({
    type: 'block-job',
    target,
    status,
  })),
};

const CHANGES: Readonly<Record<string, 'started' | 'stopped' | 'paused' | 'resumed' | 'defined' | 'undefined'>> = {
  Defined: 'defined',
  Undefined: 'undefined',
  Started: 'started',
  Stopped: 'stopped',
  Suspended: 'paused',
  PMSuspended: 'paused',
  Resumed: 'resumed',
};

/** Reads `'NAME': DETAIL`. A name may have quotes and colons in it, so the strict detail decides where it ends. */
function reader(detail: RegExp, read: (groups: Readonly<Record<string, string>>) => Unnamed) {
  const whole = new RegExp(`^'(?<name>.+)': ${detail.source}$`);
  return (rest: string): Heard | undefined => {
    const groups = whole.exec(rest)?.groups;
    return groups && { ...read(groups), name: groups.name ?? '' };
  };
}
