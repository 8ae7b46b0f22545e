// sltv plugin …
import { verb } from '../kernel/verb.ts';
import { type At, type Commands, command, type Reply } from './command.ts';
import type { CaseResult } from './world.ts';

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

const test = command(
  verb({
    about: 'hold what a plugin provides to the conformance suites, without a daemon; ends with 1 when a case fails',
    example: 'sltv plugin test ./conformance.ts',
    role: 'viewer',
    args: {
      file: { type: 'text', about: 'the file that exports the plugin as default and how it is tested as conformance' },
    },
    options: {
      patience: {
        type: 'duration',
        about: 'how long one case may take, instead of what the file says',
        optional: true,
      },
    },
    gives: 'stream',
    result: {
      case: { type: 'text', about: 'what is held to be true of it' },
      result: { type: 'text', about: 'what came out', choices: ['ok', 'failed', 'not run'] },
      why: { type: 'text', about: 'why it failed', optional: true },
    },
  }),
  ({ file, patience }, at) => casesOf(file, patience, at),
);

async function* casesOf(file: string, patience: number | undefined, at: At): AsyncIterable<Reply<CaseResult>> {
  const { signal, world } = at;
  const count = { ok: 0, failed: 0, 'not run': 0 };
  for await (const each of (await world.local()).testPlugin({ file, patience, signal })) {
    count[each.result] += 1;
    yield { message: each, said: lineOf(each) };
  }
  const { ok, failed, 'not run': left } = count;
  const said = `\n${ok} ok, ${failed} failed${left > 0 ? `, ${left} not run` : ''}`;
  yield { message: { ok, failed, notRun: left }, said, exit: failed > 0 ? 1 : 0 };
}

/** `failed   mine locks: a name has one holder at a time`, and below it why. */
function lineOf({ case: title, result, why }: CaseResult): string {
  const reason = why === undefined ? '' : `\n${why.replace(/^(?=.)/gm, '         ')}`;
  return `${result.padEnd(7)}  ${title}${reason}`;
}

export const plugin: Commands = { 'plugin list': list, 'plugin test': test };
