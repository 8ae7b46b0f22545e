// What lies where in the store. Under the prefix, names as in a URL, so that no name reaches into another's keys.
import { type Keys, under } from './kv.ts';

export interface AllKeys {
  /** `cluster`, `generation` and `halted`. */
  readonly meta: Keys;
  readonly cluster: string;
  readonly generation: string;
  readonly halted: string;
  /** On its holder's lease: that it lives. */
  lock(name: string): string;
  /** Without a lease: who may be writing, until that is disproved. */
  record(name: string): string;
  readonly locks: Keys;
  readonly records: Keys;
  mark(name: string): string;
  readonly marks: Keys;
  /** The names in `records` and `marks`, back from a key. */
  nameIn(key: string): string;
  waiter(name: string, id: string): string;
  waiters(name: string): Keys;
  /** On the process's lease: that what it asked for before it was written last is void. */
  session(instance: string): string;
  /** On the daemon's lease: that it is there. */
  node(node: string): string;
  readonly nodes: Keys;
  member(node: string): string;
  readonly members: Keys;
  /** The boot in which that node was seen last. */
  boot(node: string): string;
  over(node: string, boot: string): string;
  readonly overs: Keys;
  question(node: string, id: string): string;
  questions(node: string): Keys;
  answer(id: string): string;
}

export function keysUnder(prefix: string): AllKeys {
  const at = (...words: readonly string[]) => prefix + words.map(encodeURIComponent).join('/');
  const all = (...words: readonly string[]) => under(`${at(...words)}/`);
  return {
    meta: all('meta'),
    cluster: at('meta', 'cluster'),
    generation: at('meta', 'generation'),
    halted: at('meta', 'halted'),
    lock: (name) => at('lock', name),
    record: (name) => at('record', name),
    locks: all('lock'),
    records: all('record'),
    mark: (name) => at('mark', name),
    marks: all('mark'),
    nameIn: (key) => decodeURIComponent(key.slice(key.lastIndexOf('/') + 1)),
    waiter: (name, id) => at('wait', name, id),
    waiters: (name) => all('wait', name),
    session: (instance) => at('session', instance),
    node: (node) => at('node', node),
    nodes: all('node'),
    member: (node) => at('member', node),
    members: all('member'),
    boot: (node) => at('boot', node),
    over: (node, boot) => at('over', node, boot),
    overs: all('over'),
    question: (node, id) => at('ask', node, id),
    questions: (node) => all('ask', node),
    answer: (id) => at('answer', id),
  };
}
