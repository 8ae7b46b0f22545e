// What can't be taken back is asked for twice: once as a command, and once as what it means.
import { coreErrors } from '../errors.ts';
import type { At } from './command.ts';

export const yes = { type: 'flag', about: 'do it without asking: you know what it means' } as const;

/**
 * Goes on when `--yes` was given, or the consequence, which ends a question, was answered with yes on a terminal.
 * Errors: `core/unconfirmed`; `again` is the command with `--yes`.
 */
export async function mustConfirm(
  at: At,
  isGiven: boolean | undefined,
  consequence: string,
  again: string,
): Promise<void> {
  if (isGiven) return;
  const answer = await at.world.ask?.(`${consequence}\nDo it? Type yes: `, at.signal);
  if (answer?.trim().toLowerCase() === 'yes') return;
  const why = answer === undefined ? 'this can be asked on a terminal only' : 'it was not confirmed';
  throw coreErrors('unconfirmed', `${why}: ${consequence}`, { hint: again });
}
