// An event that is observed, a gate that may refuse, and a verb that tells of what happens while somebody listens.
import { EventEmitter, on as eventsOf } from 'node:events';
import { CreateDisk, DiskCreated, definePlugin, v, verb } from 'sltv';

export default definePlugin({
  name: 'hello',
  version: '1.0.0',
  api: 1,
  options: v.strictObject({
    /** How names of new disks have to begin. Default: as anybody likes. */
    prefix: v.optional(v.string(), ''),
  }),
  verbs: {
    'hello watch': verb({
      about: 'greet every new disk, until Ctrl-C',
      example: 'sltv hello watch --count 3',
      role: 'viewer',
      args: {},
      options: { count: { type: 'count', about: 'end after so many', optional: true } },
      gives: 'stream',
      result: {
        greeting: { type: 'text', about: 'what is said to it' },
        size: { type: 'size', about: 'what its guest sees' },
      },
    }),
  },
  setup({ options: { prefix }, log, on, before }) {
    const created = new EventEmitter();
    // Each daemon may have as many listeners as it has clients.
    created.setMaxListeners(0);

    on(DiskCreated, ({ disk }) => {
      log.info(`hello, ${disk.name}`, { pool: disk.pool });
      created.emit('disk', { greeting: `hello, ${disk.name}`, size: disk.virtualSize });
    });

    before(CreateDisk, ({ disk }) => {
      if (disk.startsWith(prefix)) return undefined;
      return { reason: `${disk} does not begin with ${prefix}`, hint: `sltv disk create ${prefix}${disk} …` };
    });

    return {
      verbs: {
        'hello watch': async function* ({ count = Number.POSITIVE_INFINITY }, { signal }) {
          let told = 0;
          for await (const [greeted] of eventsOf(created, 'disk', { signal })) {
            yield greeted;
            told += 1;
            if (told >= count) return;
          }
        },
      },
    };
  },
});
