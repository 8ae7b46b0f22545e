// sltv plugin …
import { verb } from '../kernel/verb.ts';
import { type Commands, command } from './command.ts';

const list = command(
  verb({
    about: "list the daemon's plugins, what they provide, and their verbs",
    example: 'sltv plugin list',
    role: 'viewer',
    args: {},
    options: {},
    gives: 'list',
    result: {
      name: { type: 'text', about: 'its name' },
      version: { type: 'text', about: 'its own version', optional: true },
      provides: { type: 'text', about: 'the capabilities that others get from it', list: true },
      requires: { type: 'text', about: 'the capabilities that it can do nothing without', list: true },
      verbs: { type: 'text', about: 'what it adds to this command line', list: true },
    },
  }),
  async (_, at) => {
    const plugins = await (await at.client()).plugins.list(at);
    const rows = plugins.map((plugin) => ({ ...plugin, verbs: plugin.verbs.map(({ words }) => words) }));
    return { message: { plugins }, rows };
  },
);

export const plugin: Commands = { 'plugin list': list };
