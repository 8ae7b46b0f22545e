// What can be set, and what of it stands in files.
import { readFile } from 'node:fs/promises';
import { v } from 'sltv';
import { fail } from './errors.ts';

const Path = v.pipe(v.string(), v.startsWith('/', 'expected a file by its absolute path'), v.title('an absolute path'));
const Endpoint = v.pipe(
  v.string(),
  v.regex(
    /^(https?:\/\/)?[^\s/:]+:\d+$|^(https?:\/\/)?\[[0-9a-fA-F:]+\]:\d+$/,
    'expected HOST:PORT, such as https://10.0.0.5:2379',
  ),
);

export const EtcdLockOptions = v.strictObject({
  endpoints: v.pipe(
    v.optional(v.pipe(v.array(Endpoint), v.minLength(1, 'expected at least one')), ['http://127.0.0.1:2379']),
    v.description(
      'members of etcd, `https://` for TLS; one is spoken to at a time, and the next when it does not answer',
    ),
  ),
  prefix: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^\/.+\/$/, 'expected a path that begins and ends with /')), '/sltv/'),
    v.description('what the keys of this cluster begin with; ends with `/`'),
  ),
  ttl: v.pipe(
    v.optional(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(2, 'at least 2 seconds'),
        v.maxValue(300, 'at most 300 seconds'),
        v.title('a number, 2 to 300'),
      ),
      10,
    ),
    v.description('seconds after which a silent daemon counts as not there; nobody gets its locks for that alone'),
  ),
  username: v.pipe(v.optional(v.string()), v.description("etcd's user; needs read and write on the prefix")),
  password: v.pipe(v.optional(v.string()), v.description('the password of that user')),
  passwordFile: v.pipe(v.optional(Path), v.description('a file with that password, in place of `password`')),
  tls: v.optional(
    v.strictObject({
      ca: v.pipe(
        v.optional(Path),
        v.metadata({ default: "the host's own authorities" }),
        v.description("the PEM file with the authority that etcd's certificates are signed by"),
      ),
      cert: v.pipe(v.optional(Path), v.description("this host's own certificate, where etcd asks for one")),
      key: v.pipe(v.optional(Path), v.description('the key of that certificate')),
    }),
  ),
});
export type EtcdLockOptions = v.InferOutput<typeof EtcdLockOptions>;

/** The password, from the file where one is named. Errors: `etcd-lock/bad-file`. */
export async function passwordOf({ password, passwordFile }: EtcdLockOptions): Promise<string | undefined> {
  if (passwordFile === undefined) return password;
  const text = await readFile(passwordFile, 'utf8').catch((cause: unknown) => {
    throw fail('bad-file', `the password can't be read from ${passwordFile}`, { hint: `ls -l ${passwordFile}`, cause });
  });
  return text.replace(/\r?\n$/, '');
}

/** For SLTV_CLUSTER_ENABLED, which earlier installations know. */
export function isClusterWanted(word: string): Record<never, never> {
  if (/^(true|1|yes|on)$/i.test(word)) return {};
  throw new Error('etcdLock in the config makes a cluster; unset the variable, or take localLock in its place');
}

/** For SLTV_ETCD_ENDPOINTS: addresses with commas between them. */
export const endpointsFrom = (words: string) => ({ endpoints: words.split(',').map((word) => word.trim()) });
