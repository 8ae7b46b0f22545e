// What the daemon says: JSON lines for machines, text on a terminal.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface Log {
  debug(message: string, data?: object): void;
  info(message: string, data?: object): void;
  warn(message: string, data?: object): void;
  error(message: string, data?: object): void;
  /** The same log, with these fields in every line. */
  with(fields: object): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  readonly write: (line: string) => void;
}

/** A log that writes one line per message. */
export function createLog(options: LogOptions, fields: object = {}): Log {
  const say = (level: LogLevel) => (message: string, data?: object) => {
    if (RANK[level] < RANK[options.level]) return;
    const all = { ...fields, ...data };
    options.write(options.format === 'json' ? jsonLine(level, message, all) : textLine(level, message, all));
  };
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    with: (more) => createLog(options, { ...fields, ...more }),
  };
}

function jsonLine(level: LogLevel, message: string, data: object): string {
  const own = { time: new Date().toISOString(), level, message };
  try {
    return JSON.stringify({ ...own, ...data, ...own }, plain);
  } catch (error) {
    return JSON.stringify({ ...own, unwritable: String(error) });
  }
}

function textLine(level: LogLevel, message: string, data: object): string {
  const pairs = Object.entries(data).filter(([, value]) => value !== undefined);
  const rest = pairs.map(([key, value]) => `${key}=${textOf(value)}`);
  return [new Date().toISOString().slice(11, 23), level.toUpperCase().padEnd(5), message, ...rest].join(' ');
}

function textOf(value: unknown): string {
  // A tool's words may have lines of their own.
  if (typeof value === 'string' && !/[\r\n]/.test(value)) return value;
  try {
    return JSON.stringify(value, plain);
  } catch (error) {
    return String(error);
  }
}

/** What JSON has no word for: bytes as numbers in text, an error as its sentence and cause. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) {
    return {
      message: value.message,
      ...('code' in value ? { code: value.code } : {}),
      ...(value.cause === undefined ? {} : { cause: value.cause }),
    };
  }
  return value;
}
