// The options that every verb has.
import { coreErrors } from '../errors.ts';
import type { Fields, Values } from '../kernel/verb.ts';
import { parseDuration } from '../units.ts';
import { isOption, parse, spelledOptions } from './parse.ts';

export const globalOptions = {
  addr: { type: 'text', about: "the daemon's socket (SLTV_ADDR; default unix:///run/sltv/sltvd.sock)", optional: true },
  timeout: { type: 'duration', about: 'how long to wait for an answer (SLTV_TIMEOUT; default 30s)', optional: true },
  json: { type: 'flag', about: "print the daemon's answer as JSON, and errors too" },
  config: {
    type: 'text',
    about: 'for daemon, config, init, hook: the config file (default /etc/sltv/sltv.config.ts)',
    optional: true,
  },
  help: { type: 'flag', about: 'explain the verb instead of running it (also -h)' },
  version: { type: 'flag', about: 'print the version' },
} as const satisfies Fields;

/** The old client's: taken, so that they can be answered. */
export const tlsOptions = {
  tlsCert: { type: 'text', about: 'not there yet', optional: true },
  tlsKey: { type: 'text', about: 'not there yet', optional: true },
  tlsCa: { type: 'text', about: 'not there yet', optional: true },
  tlsServerName: { type: 'text', about: 'not there yet', optional: true },
} as const satisfies Fields;

const options = { ...globalOptions, ...tlsOptions };
const spellings = { help: ['h'] };
const spelled = spelledOptions(options, spellings);

export const globalSpellings: readonly string[] = [...spelled.keys()];

export type Globals = Omit<Values<typeof globalOptions>, 'addr' | 'timeout'> & {
  /** `unix:///path`. */
  readonly addr: string | undefined;
  /** Milliseconds. */
  readonly timeout: number | undefined;
};

/** Takes every global option out of a command line, wherever it stands. */
export function splitGlobals(argv: readonly string[]): { own: readonly string[]; rest: readonly string[] } {
  const own: string[] = [];
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') {
      rest.push(...argv.slice(i));
      break;
    }
    const name = spelled.get(word.split('=')[0] ?? '');
    (name === undefined ? rest : own).push(word);
    const next = argv[i + 1];
    if (name === undefined || word.includes('=') || next === undefined) continue;
    // `spelled` has the names of `options` only.
    if (options[name as keyof typeof options].type !== 'flag' && !isOption(next)) {
      own.push(next);
      i++;
    }
  }
  return { own, rest };
}

/** Reads them; the environment stands in for what was not given. Errors: `core/input`, `core/unsupported`. */
export function readGlobals(own: readonly string[], env: Readonly<Record<string, string | undefined>>): Globals {
  // `parse` gives each option the type that it is declared with.
  const given = parse({ title: 'sltv', args: {}, options, spellings, nearby: [] }, own) as Values<typeof options>;
  if (Object.keys(tlsOptions).some((name) => name in given)) {
    throw coreErrors('unsupported', 'TLS and its options are not there yet: this daemon answers on Unix sockets only', {
      hint: 'log in to the host and leave out the --tls options',
    });
  }
  const timeout = given.timeout ?? (env.SLTV_TIMEOUT ? readTimeout(env.SLTV_TIMEOUT) : undefined);
  if (timeout !== undefined) checkTimeout(timeout);
  const addr =
    given.addr === undefined ? checkAddress(env.SLTV_ADDR || undefined, 'SLTV_ADDR: ') : checkAddress(given.addr);
  return { ...given, addr, timeout };
}

function readTimeout(word: string): number {
  try {
    return parseDuration(word);
  } catch {
    throw coreErrors('input', `SLTV_TIMEOUT is '${word}', which is not a duration`, { hint: 'write 500ms, 30s or 2m' });
  }
}

/** Milliseconds, three weeks: the client waits no longer, since Node's timers fire at once after 24.8 days. */
const LONGEST_TIMEOUT = 21 * 24 * 60 * 60 * 1000;

function checkTimeout(timeout: number): void {
  if (timeout > 0 && timeout <= LONGEST_TIMEOUT) return;
  const flaw = timeout > 0 ? 'no timeout is longer than three weeks' : 'a timeout of 0 leaves no time at all';
  throw coreErrors('input', flaw, { hint: 'write 500ms, 30s or 2m' });
}

/** `from` is what the sentence begins with, where nobody typed the address. */
function checkAddress(addr: string | undefined, from = ''): string | undefined {
  if (addr === undefined || /^(unix:(\/\/)?)?\/(?!\/)/.test(addr)) return addr;
  if (/^(\w+:\/\/)?[^/\s]+:\d+$/.test(addr)) {
    throw coreErrors(
      'unsupported',
      `${from}'${addr}' is a TCP address, and TCP comes with TLS, which is not there yet`,
      {
        hint: 'use the Unix socket on the host itself: --addr unix:///run/sltv/sltvd.sock',
      },
    );
  }
  const path = /^unix:\/*(.+)$/.exec(addr)?.[1];
  throw coreErrors('input', `${from}'${addr}' is not an address of a daemon`, {
    hint:
      path === undefined
        ? "write its socket's path: --addr unix:///run/sltv/sltvd.sock"
        : `did you mean unix:///${path}?`,
  });
}
