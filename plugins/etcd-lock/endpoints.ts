// Which member of etcd is spoken to: one at a time, and the next when it does not answer. Shuffling them for each call, as
// etcd3 would, lets one frozen member of three hold up every third call.
import { readFile } from 'node:fs/promises';
import type { Etcd3, IOptions } from 'etcd3';
import { fail } from './errors.ts';
import { inOurWords, isLeaseGone } from './words.ts';

export interface EtcdOptions {
  readonly endpoints: readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Paths of PEM files. */
  readonly tls?: { ca?: string | undefined; cert?: string | undefined; key?: string | undefined } | undefined;
  /** Milliseconds. */
  readonly deadline?: number;
}

interface CallOptions {
  /** By the wall clock, in milliseconds. */
  readonly deadline: number;
}

export interface Endpoints {
  /** Errors: `etcd-lock/…`. `isRepeatable`: asked of a second member when the first does not answer. */
  call<T>(isRepeatable: boolean, ask: (etcd: Etcd3, options: CallOptions) => Promise<T>): Promise<T>;
  /** For what lasts: `gone` is called once, when it ended or another member is spoken to. Answers with how to end it. */
  hold(begin: (etcd: Etcd3, isGone: () => void) => () => void, gone: () => void): () => void;
  close(): void;
}

/** Connects at the first call. Errors: `etcd-lock/bad-file`. */
export async function createEndpoints(options: EtcdOptions & { readonly deadline: number }): Promise<Endpoints> {
  const { endpoints, deadline } = options;
  const files = await filesOf(options);
  const clients = new Map<string, Promise<Etcd3>>();
  const held = new Set<() => void>();
  let current = 0;
  let isClosed = false;

  function client(): Promise<Etcd3> {
    const host = endpoints[current % endpoints.length] ?? '';
    const known = clients.get(host) ?? connect(host, options, files);
    clients.set(host, known);
    return known;
  }

  /** Away from the member that failed, unless another call has done so meanwhile. */
  function moveOn(failed: number): void {
    if (failed !== current || endpoints.length === 1) return;
    current += 1;
    for (const drop of [...held]) drop();
  }

  async function call<T>(isRepeatable: boolean, ask: (etcd: Etcd3, options: CallOptions) => Promise<T>): Promise<T> {
    const attempts = isRepeatable ? Math.min(2, endpoints.length) : 1;
    for (let left = attempts; ; left -= 1) {
      if (isClosed) throw fail('stopping', 'the connection to etcd was closed, because the daemon stops');
      const asked = current;
      try {
        return await ask(await client(), { deadline: Date.now() + deadline / attempts });
      } catch (error) {
        if (isLeaseGone(error)) throw error;
        moveOn(asked);
        if (left <= 1) throw inOurWords(error, endpoints);
      }
    }
  }

  return {
    call,
    hold(begin, gone) {
      let end = () => {};
      const drop = () => {
        if (!held.delete(drop)) return;
        end();
        gone();
      };
      held.add(drop);
      if (isClosed) return () => void held.delete(drop);
      client().then((etcd) => {
        if (held.has(drop)) end = begin(etcd, drop);
      }, drop);
      return () => {
        if (held.delete(drop)) end();
      };
    },
    close() {
      isClosed = true;
      for (const drop of [...held]) drop();
      for (const each of clients.values())
        each.then(
          (etcd) => etcd.close(),
          () => {},
        );
    },
  };
}

interface Files {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

async function filesOf({ tls }: EtcdOptions): Promise<Files> {
  const [ca, cert, key] = await Promise.all([contents(tls?.ca), contents(tls?.cert), contents(tls?.key)]);
  return { ca, cert, key };
}

/** etcd3 takes 100 ms to load, so whoever never calls etcd, such as a hook, does without. */
async function connect(
  host: string,
  { username, password, tls, deadline }: EtcdOptions & { readonly deadline: number },
  files: Files,
): Promise<Etcd3> {
  const [{ Etcd3 }, { noop }] = await Promise.all([import('etcd3'), import('cockatiel')]);
  const isSecure = host.startsWith('https:') || (tls !== undefined && !host.startsWith('http:'));
  const call = () => ({ deadline: Date.now() + deadline });
  return new Etcd3({
    hosts: host,
    grpcOptions: {
      // A frozen or vanished member closes no connection: only pings that stay without answer tell. etcd hangs up on who
      // pings more often than every 5 s (its --grpc-keepalive-min-time).
      'grpc.keepalive_time_ms': 6_000,
      'grpc.keepalive_timeout_ms': 2_000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
    },
    // Its own breaker refuses every call for 5 s after three failures.
    faultHandling: { host: () => noop, global: noop },
    defaultCallOptions: ({ isStream }) => (isStream ? {} : call()),
    ...(username === undefined ? {} : { auth: { username, password: password ?? '', callOptions: call } }),
    ...(isSecure ? { credentials: credentialsOf(files) } : {}),
  });
}

async function contents(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  return await readFile(path).catch((cause: unknown) => {
    throw fail('bad-file', `the file ${path}, which the config names, can't be read`, { hint: `ls -l ${path}`, cause });
  });
}

/** grpc-js takes the host's own authorities when it is given none; etcd3's types insist on some. */
function credentialsOf({ ca, cert, key }: Files) {
  const own = { ...(key && { privateKey: key }), ...(cert && { certChain: cert }) };
  // No member is read before createSsl, for which an absent one is `null`.
  return (ca ? { rootCertificate: ca, ...own } : own) as NonNullable<IOptions['credentials']>;
}
