// One `virsh event`, from its start to its end.
import { createQueue, type HypervisorEvent, type Log, type Queue, type Runner } from 'sltv';
import { type Heard, readEvent } from './event-lines.ts';
import type { Names } from './names.ts';
import { targetCalled } from './targets.ts';

export interface Following {
  readonly run: Runner;
  readonly uri: string;
  readonly names: Names;
  /** The target of a running VM's device; undefined when it has none by that alias. */
  readonly targetOf: (vm: string, alias: string, signal: AbortSignal) => Promise<string | undefined>;
  readonly log: Log;
  readonly signal: AbortSignal;
}

type Tell = (event: HypervisorEvent) => void;

/**
 * virsh says nothing when it has begun to listen, and an event before that is lost. Its debug log does say it; standard
 * error joins standard output here, so that both come in order.
 */
const SCRIPT = 'LIBVIRT_DEBUG=4 LIBVIRT_LOG_FILTERS=1:libvirt.domain LIBVIRT_LOG_OUTPUTS=1:stderr exec virsh "$@" 2>&1';

/** Milliseconds after which the stream counts as connected though virsh did not say so: a later virsh may word it anew. */
const PROOF_DEADLINE = 10_000;

/** Tells what happens until virsh ends, as it does with libvirtd, or until the signal. Answers why it ended. */
export async function follow(following: Following, tell: Tell): Promise<string> {
  const { run, uri, names, log } = following;
  const broken = new AbortController();
  const signal = AbortSignal.any([following.signal, broken.signal]);
  const turns = new Map<string, Queue>();
  const connected = () => {
    clearTimeout(proof);
    tell({ type: 'connected' });
  };
  const proof = setTimeout(() => {
    log.info('virsh does not say that it listens; it counts as listening');
    connected();
  }, PROOF_DEADLINE);
  let reason: string | undefined;
  try {
    const words = ['-c', SCRIPT, 'virsh', `--connect=${uri}`, 'event', '--all', '--loop', '--timestamp'];
    for await (const line of run.lines('sh', words, signal)) {
      // The first complaint is the cause, of the others too.
      if (/^error: |not found$/.test(line)) reason ??= line;
      if (saysListening(line)) connected();
      const heard = readEvent(line);
      if (heard === undefined) continue;
      // In order for each VM; one whose name must be asked for, while its hook runs perhaps, holds up no other.
      const turn = turns.get(heard.name) ?? createQueue();
      turns.set(heard.name, turn);
      turn
        .run({ signal }, () => pass(following, heard, tell, signal))
        .catch((error: unknown) => {
          if (signal.aborted) return;
          // Told as a new stream: whoever listens then looks for itself.
          log.warn('an event was lost, because libvirt did not say which VM it is about', { heard: heard.type, error });
          broken.abort();
        });
    }
  } catch (error) {
    reason ??= error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(proof);
    broken.abort();
    names.learn(new Map());
  }
  return reason ?? 'virsh event ended';
}

/**
 * virsh registers for one kind of event after the other, each when the last is acknowledged. When it goes beyond
 * VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD (24), all that concern us are.
 */
function saysListening(line: string): boolean {
  const id = / virConnectDomainEventRegisterAny:\d+ : .* eventID=(\d+),/.exec(line)?.[1];
  return id === '25';
}

async function pass({ names, targetOf, log }: Following, heard: Heard, tell: Tell, signal: AbortSignal): Promise<void> {
  const { name, ...event } = heard;
  // The name may be another VM's from now on.
  if (event.type === 'vm' && (event.change === 'defined' || event.change === 'started')) names.forget(name);
  const vm = await names.uuidOf(name, signal);
  if (vm === undefined) {
    log.debug('an event of a VM that is gone', { name, event: event.type });
    return;
  }
  if (event.type === 'vm' && event.change === 'undefined') names.forget(name);
  if (event.type !== 'io-error') return tell({ ...event, vm });
  const { alias, ...error } = event;
  // A guest stands still meanwhile: libvirt is asked about devices only whose names don't say where they are.
  const target = targetCalled(alias) ?? (await targetOf(vm, alias, signal).catch(() => undefined)) ?? alias;
  tell({ ...error, vm, target });
}
