// sltv config …
import { verb } from '../kernel/verb.ts';
import { formatSize } from '../units.ts';
import { type Commands, command } from './command.ts';

const check = command(
  verb({
    about: 'read the config file and say everything that is wrong with it',
    example: 'sltv config check --config ./sltv.config.ts',
    role: 'viewer',
    args: {},
    options: {},
    gives: 'nothing',
    result: {},
  }),
  async (_, at) => {
    const file = await (await at.world.local()).checkConfig(at);
    return { message: { file }, said: `${file} is in order` };
  },
);

const show = command(
  verb({
    about: 'show every value that holds and where it came from',
    example: 'sltv config show',
    role: 'viewer',
    args: {},
    options: {
      default: { type: 'flag', about: 'what a host without a config file has' },
      about: { type: 'flag', about: 'what each means, too' },
    },
    gives: 'list',
    result: {
      path: { type: 'text', about: 'the option' },
      value: { type: 'text', about: 'its value', optional: true },
      from: { type: 'text', about: 'default, file, or the variable that set it' },
    },
  }),
  async (input, at) => {
    const { config, signal } = at;
    const settings = await (await at.world.local()).showConfig({ config, signal, isDefault: input.default === true });
    const rows = settings.map(({ path, value, from }) => ({ path, value: written(path, value), from }));
    const said = settings.map(({ path, value, from, about = '' }) => {
      const holds = `${path} = ${written(path, value) || '-'} (${from})`;
      return about === '' ? holds : `${holds}\n    ${about}`;
    });
    // What JSON has no word for is written as people read it; sizes stay bytes, as everywhere in JSON.
    return {
      message: { settings: settings.map((setting) => ({ ...setting, value: plain(setting.value) ?? null })) },
      ...(input.about === true ? { said: said.join('\n') } : { rows }),
    };
  },
);

export const config: Commands = { 'config check': check, 'config show': show };

function written(path: string, value: unknown): string {
  if (typeof value === 'bigint') return formatSize(value);
  // Permission bits.
  if (typeof value === 'number' && path.endsWith('.mode')) return `0o${value.toString(8)}`;
  const word = plain(value) ?? '';
  return typeof word === 'string' ? word : JSON.stringify(word);
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function') return `(function ${value.name || 'without a name'})`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
