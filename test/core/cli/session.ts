// A user at a shell: types words, reads what comes back.
import { cli, type Local, type World } from '../../../core/cli/index.ts';
import { answers } from './answers.ts';
import { type Asked, type FakeDaemon, fakeDaemon } from './fake-daemon.ts';

export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What the daemon was asked meanwhile. */
  readonly asked: readonly Asked[];
}

export interface Session extends AsyncDisposable {
  readonly daemon: FakeDaemon;
  /** Types words, split at blanks where they are one text. */
  type(words: string | readonly string[], world?: Partial<World>): Promise<Typed>;
}

/** A shell beside a daemon with recorded answers. */
export async function session(): Promise<Session> {
  const daemon = await fakeDaemon(answers);
  return {
    daemon,
    async type(words, world = {}) {
      const before = daemon.asked.length;
      const argv = typeof words === 'string' ? words.split(' ').filter((word) => word !== '') : words;
      const [out, err] = [sink(), sink()];
      const code = await cli(argv, {
        stdout: out,
        stderr: err,
        env: { SLTV_ADDR: daemon.addr },
        isTTY: false,
        signal: new AbortController().signal,
        pause: () => Promise.reject(new Error('nothing waits in this test')),
        version: '1.2.3',
        local: async () => local,
        ...world,
      });
      return { code, out: out.text(), err: err.text(), asked: daemon.asked.slice(before) };
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

/** A stream that keeps what is written. */
export function sink() {
  const written: string[] = [];
  return { write: (text: string) => written.push(text), text: () => written.join('') };
}

/** Nothing of it is there, where a test doesn't say otherwise. */
export const local: Local = {
  daemon: () => missing(),
  checkConfig: () => missing(),
  showConfig: () => missing(),
  initFolder: () => missing(),
  installHooks: () => missing(),
  // biome-ignore lint/correctness/useYield: it fails before it has anything to tell.
  testPlugin: async function* () {
    await missing();
  },
  hook: () => missing(),
};

const missing = () => Promise.reject(new Error('not in this test'));
