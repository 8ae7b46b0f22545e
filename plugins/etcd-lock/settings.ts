// What can be set, and what of it stands in files.
import { readFile } from 'node:fs/promises';
import { v } from 'sltv';
import { fail } from './errors.ts';

const Path = v.pipe(v.string(), v.startsWith('/', 'expected a file by its absolute path'));
const Endpoint = v.pipe(
  v.string(),
  v.regex(
    /^(https?:\/\/)?[^\s/:]+:\d+$|^(https?:\/\/)?\[[0-9a-fA-F:]+\]:\d+$/,
    'expected HOST:PORT, such as https://10.0.0.5:2379',
  ),
);

export const EtcdLockOptions = v.strictObject({
  /** Members of etcd; one is spoken to at a time, and the next when it does not answer. */
  endpoints: v.optional(v.pipe(v.array(Endpoint), v.minLength(1, 'expected at least one')), ['http://127.0.0.1:2379']),
  /** What the keys of this cluster begin with. */
  prefix: v.optional(v.pipe(v.string(), v.regex(/^\/.+\/$/, 'expected a path that begins and ends with /')), '/sltv/'),
  /** Seconds after which a silent daemon counts as not there. */
  ttl: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(2, 'at least 2 seconds'), v.maxValue(300, 'at most 300 seconds')),
    10,
  ),
  username: v.optional(v.string()),
  password: v.optional(v.string()),
  passwordFile: v.optional(Path),
  /** PEM files. */
  tls: v.optional(v.strictObject({ ca: v.optional(Path), cert: v.optional(Path), key: v.optional(Path) })),
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
