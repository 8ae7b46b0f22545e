// Errors for people and for machines.
import { asSltvError, KINDS } from '../errors.ts';
import type { World } from './world.ts';

/** Says what went wrong and what to do, on stderr; answers with the exit code. */
export function printFailure(world: World, thrown: unknown, json: boolean): number {
  const { code, kind, message, hint } = asSltvError(thrown);
  world.stderr.write(
    json
      ? `${JSON.stringify({ code, kind, message, hint: hint ?? '' })}\n`
      : `sltv: ${hint === undefined ? `${message}${tag(code)}` : `${message}\nhint: ${hint}${tag(code)}`}\n`,
  );
  return KINDS[kind].exit;
}

const tag = (code: string) => `      [${code}]`;
