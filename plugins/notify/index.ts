// Tells others what happens: a command or a web address for each event.
import { definePlugin, EventTold, v } from 'sltv';
import { createMessenger, type Messenger } from './messenger.ts';
import { sendTo } from './send.ts';

const Target = v.pipe(
  v.strictObject({
    command: v.pipe(
      v.optional(v.pipe(v.array(v.string()), v.minLength(1, 'a command has at least its program'))),
      v.description(
        'a program with its arguments, run for each event: it gets the event as JSON on stdin, and parts of it in its environment',
      ),
    ),
    url: v.pipe(
      v.optional(
        v.pipe(v.string(), v.url(), v.regex(/^https?:/, 'expected http:// or https://'), v.title('a web address')),
      ),
      v.description('in place of `command` an address that takes the event as JSON by POST'),
    ),
    headers: v.pipe(v.optional(v.record(v.string(), v.string())), v.description('what goes with the POST')),
    events: v.pipe(
      v.optional(
        v.array(v.pipe(v.string(), v.regex(/^[a-z0-9-]+\.([a-z0-9-]+|\*)$/, 'expected disk.paused or disk.*'))),
      ),
      v.metadata({ default: 'all' }),
      v.description('types of events, `disk.paused` or `disk.*`'),
    ),
  }),
  v.check(({ command, url }) => (command === undefined) !== (url === undefined), 'expected either a command or a url'),
  v.check(({ headers, url }) => headers === undefined || url !== undefined, 'headers go with a url'),
);
export type Target = v.InferOutput<typeof Target>;

const NotifyOptions = v.strictObject({
  targets: v.pipe(
    v.array(Target),
    v.minLength(1, 'whom to tell?'),
    v.metadata({ see: 'events.md' }),
    v.description('who is told'),
  ),
  timeout: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(100), v.title('a number, 100 or more')), 10_000),
    v.description('milliseconds that one try to tell may take'),
  ),
  tries: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100), v.title('a number, 1 to 100')), 5),
    v.description('how often it is tried, with growing pauses between, before an event is given up'),
  ),
  backlog: v.pipe(
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)), 100),
    v.description('events that wait for one target; what comes beyond is lost, and said'),
  ),
});
export type NotifyOptions = v.InferOutput<typeof NotifyOptions>;

export default definePlugin({
  name: 'notify',
  api: 1,
  options: NotifyOptions,
  async setup({ options, node, run, log, signal, on }) {
    const messengers = await Promise.all(
      options.targets.map(async (target): Promise<{ readonly target: Target; readonly messenger: Messenger }> => {
        const name = target.url === undefined ? target.command?.[0] : new URL(target.url).host;
        const send = sendTo(target, { node: node.id, timeout: options.timeout, run });
        return { target, messenger: await createMessenger(send, options, { log: log.with({ target: name }), signal }) };
      }),
    );
    on(EventTold, (told) => {
      for (const { target, messenger } of messengers) if (isWanted(target, told.type)) messenger.tell(told);
    });
  },
});

const isWanted = ({ events }: Target, type: string): boolean =>
  events === undefined ||
  events.some((each) => each === type || (each.endsWith('.*') && type.startsWith(each.slice(0, -1))));
