// The options that every verb has.
import { DEFAULT_ADDRESS, parseAddress } from '../client/address.ts';
import type { TlsOptions } from '../client/index.ts';
import { asSltvError, coreErrors } from '../errors.ts';
import type { Fields, Values } from '../kernel/verb.ts';
import { parseDuration } from '../units.ts';
import { isOption, parse, spelledOptions } from './parse.ts';
import { optionOf } from './values.ts';

export const globalOptions = {
  addr: {
    type: 'text',
    about: "the daemon's socket, or HOST:PORT for TLS (SLTV_ADDR; default unix:///run/sltv/sltvd.sock)",
    optional: true,
  },
  timeout: { type: 'duration', about: 'how long to wait for an answer (SLTV_TIMEOUT; default 30s)', optional: true },
  json: { type: 'flag', about: "print the daemon's answer as JSON, and errors too" },
  config: {
    type: 'text',
    about: 'for daemon, config, init, hook: the config file (default /etc/sltv/sltv.config.ts)',
    optional: true,
  },
  tlsCert: { type: 'text', about: "your certificate's file, for HOST:PORT (SLTV_TLS_CERT)", optional: true },
  tlsKey: { type: 'text', about: "its key's file (SLTV_TLS_KEY)", optional: true },
  tlsCa: {
    type: 'text',
    about: "file of the daemon's authority (SLTV_TLS_CA; default: those this host trusts)",
    optional: true,
  },
  tlsServerName: {
    type: 'text',
    about: "the name in the daemon's certificate (SLTV_TLS_SERVER_NAME; default: HOST)",
    optional: true,
  },
  help: { type: 'flag', about: 'explain the verb instead of running it (also -h)' },
  version: { type: 'flag', about: 'print the version' },
} as const satisfies Fields;

const spellings = { help: ['h'] };
const spelled = spelledOptions(globalOptions, spellings);

export const globalSpellings: readonly string[] = [...spelled.keys()];

type TlsOption = 'tlsCert' | 'tlsKey' | 'tlsCa' | 'tlsServerName';

export type Globals = Omit<Values<typeof globalOptions>, 'addr' | 'timeout' | TlsOption> & {
  /** `unix:///path` or `host:port`. */
  readonly addr: string | undefined;
  readonly tls: TlsOptions;
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
    // `spelled` has the names of `globalOptions` only.
    if (globalOptions[name as keyof typeof globalOptions].type !== 'flag' && !isOption(next)) {
      own.push(next);
      i++;
    }
  }
  return { own, rest };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads them; the environment stands in for what was not given. Errors: `core/input`. */
export function readGlobals(own: readonly string[], env: Environment): Globals {
  const grammar = { title: 'sltv', args: {}, options: globalOptions, spellings, nearby: [] };
  // `parse` gives each option the type that it is declared with.
  const given = parse(grammar, own) as Values<typeof globalOptions>;
  const timeout = given.timeout ?? (env.SLTV_TIMEOUT ? readTimeout(env.SLTV_TIMEOUT) : undefined);
  if (timeout !== undefined) checkTimeout(timeout);
  const addr = given.addr ?? (env.SLTV_ADDR || undefined);
  const isTcp = addr !== undefined && isTcpAddress(addr, given.addr === undefined ? 'SLTV_ADDR: ' : '');
  return { ...given, addr, timeout, tls: readTls(given, env, isTcp ? undefined : (addr ?? DEFAULT_ADDRESS)) };
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
function isTcpAddress(addr: string, from: string): boolean {
  try {
    const target = parseAddress(addr);
    if (!('host' in target)) return false;
    if (target.isSecure) return true;
  } catch (error) {
    const { message, hint } = asSltvError(error);
    throw coreErrors('input', `${from}${message}`, { hint });
  }
  throw coreErrors('input', `${from}'${addr}' would go without TLS, and over TCP sltv speaks nothing else`, {
    hint: `write ${addr.replace(/^http:\/\//i, '').replace(/\/$/, '')}, which means TLS`,
  });
}

/** `socket`: the Unix socket that is meant, where it is one. */
function readTls(given: Values<typeof globalOptions>, env: Environment, socket: string | undefined): TlsOptions {
  const typed = TLS_OPTIONS.find((name) => given[name] !== undefined);
  if (socket !== undefined && typed !== undefined) {
    throw coreErrors('input', `${optionOf(typed)} is for a daemon on another host, and ${socket} is a Unix socket`, {
      hint: 'name that host: --addr HOST:PORT; or leave the option out',
    });
  }
  if (socket !== undefined) return {};
  const tls = {
    cert: given.tlsCert ?? (env.SLTV_TLS_CERT || undefined),
    key: given.tlsKey ?? (env.SLTV_TLS_KEY || undefined),
    ca: given.tlsCa ?? (env.SLTV_TLS_CA || undefined),
    serverName: given.tlsServerName ?? (env.SLTV_TLS_SERVER_NAME || undefined),
  };
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw tls.cert === undefined
      ? coreErrors('input', `the key ${tls.key} is of no use without its certificate`, {
          hint: '--tls-cert FILE, or SLTV_TLS_CERT',
        })
      : coreErrors('input', `the certificate ${tls.cert} is of no use without its key`, {
          hint: '--tls-key FILE, or SLTV_TLS_KEY',
        });
  }
  return tls;
}

const TLS_OPTIONS = ['tlsCert', 'tlsKey', 'tlsCa', 'tlsServerName'] as const satisfies readonly TlsOption[];
