// What an operator has said about one disk, kept with its volume.
import { type Disk, parseSize } from 'sltv';

export interface Settings {
  /** Left alone, whatever happens to its guest. */
  readonly isOff: boolean;
  /** What it grows by, bytes; undefined: as the policy says. */
  readonly step: bigint | undefined;
}

const OFF = 'autoextend.off';
const STEP = 'autoextend.step';

/** A note that somebody mistyped by hand counts as none. */
export function settingsOf({ settings }: Pick<Disk, 'settings'>): Settings {
  const step = settings[STEP];
  return {
    isOff: settings[OFF] !== undefined,
    step: step !== undefined && /^[1-9]\d*$/.test(step) ? parseSize(step) : undefined,
  };
}

/** The notes after which these settings hold. */
export const notesFor = ({ isOff, step }: Settings): Readonly<Record<string, string | undefined>> => ({
  [OFF]: isOff ? '1' : undefined,
  [STEP]: step === undefined ? undefined : String(step),
});
