// node test/storm/worker.ts SETTINGS: one host of a storm. Works at random when it is told to, and does the other things that
// a storm asks of a daemon; ends with whoever started it.
import { createWriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asSltvError } from '../../core/errors.ts';
import { type Daemon, type DaemonOptions, startDaemon } from './daemon.ts';
import { createDice } from './dice.ts';
import { openLedger } from './ledger.ts';
import { type Hand, work } from './operations.ts';
import { recoverDisks } from './recovery.ts';
import type { Asked, Told, Witness } from './talk.ts';

export interface WorkerSettings extends DaemonOptions {
  readonly seed: string;
  /** Which process of this host this is. */
  readonly life: number;
  readonly ledger: string;
  readonly log: string;
  /** Operations at a time. */
  readonly lanes: number;
  readonly names: readonly string[];
}

// Written by the storm's own Host.
const settings = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
process.on('disconnect', () => process.exit(0));
const { node } = settings;
const ledger = openLedger(settings.ledger, node.id);
const logFile = createWriteStream(settings.log, { flags: 'a' });
let acts = 0;
let resting = new AbortController();
let lanes: Promise<unknown> = Promise.resolve();

const say = (line: string) => void logFile.write(`${line}\n`);
const daemon = await startDaemon(settings, say);
const me = { node: node.id, boot: node.bootId };
const extent = (await daemon.pool.facts(new AbortController().signal)).extent;
process.on('message', (asked: Asked) => void answer(asked));
tell({ id: 0, value: 'up' });

async function answer({ id, ask, place }: Asked): Promise<void> {
  try {
    tell({ id, value: await QUESTIONS[ask](place) });
  } catch (error) {
    const { code, message } = asSltvError(error);
    tell({ id, error: { code, message } });
  }
}

function tell(told: Told): void {
  process.send?.(told);
}

const QUESTIONS = {
  async work() {
    resting = new AbortController();
    lanes = Promise.all(Array.from({ length: settings.lanes }, (_, lane) => workOn(lane, resting.signal)));
  },
  async rest() {
    resting.abort();
    await lanes;
  },
  async 'recover disks'() {
    await recoverDisks(handOf(0, AbortSignal.timeout(20_000)), nextAct, daemon.cluster);
  },
  async 'recover cluster'() {
    await daemon.cluster?.recover(AbortSignal.timeout(5_000));
  },
  async 'declare over'(place: Asked['place']) {
    if (place) await daemon.cluster?.declareOver(place, 'the storm has cut its power', AbortSignal.timeout(5_000));
  },
  async trouble() {
    return daemon.cluster?.trouble()?.because;
  },
  witness: () => bearWitness(daemon),
};

/** A turn in which nothing is done leaves a mark, if the holder before did not; then the lock tells which. */
async function bearWitness({ pool, locks }: Daemon): Promise<Witness> {
  await pool.change({ signal: AbortSignal.timeout(20_000) }, async () => {});
  await using lease = await locks.acquire(`vg/${pool.id}`, AbortSignal.timeout(20_000));
  return { mark: lease.handover?.mark, isOrderly: lease.handover?.isOrderly ?? true };
}

function nextAct(): string {
  acts += 1;
  return `${node.id}/${settings.life}/${acts}`;
}

function handOf(lane: number, signal: AbortSignal): Hand {
  const dice = createDice(settings.seed, node.id, settings.life, lane, acts);
  return { pool: daemon.pool, ledger, extent, me, dice, signal, names: settings.names };
}

async function workOn(lane: number, signal: AbortSignal): Promise<void> {
  const hand = handOf(lane, signal);
  while (!signal.aborted) {
    const act = nextAct();
    ledger.write(act, { is: 'asks' });
    try {
      await work(hand, act);
      ledger.write(act, { is: 'ends', as: 'acknowledged' });
    } catch (error) {
      const { code, message } = asSltvError(error);
      ledger.write(act, { is: 'ends', as: signal.aborted ? 'told to rest' : code, because: message });
      await sleep(PAUSE);
    }
  }
}

/** Milliseconds after a failure. */
const PAUSE = 100;
