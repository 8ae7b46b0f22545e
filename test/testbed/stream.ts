// A long-running command inside a host, read line by line.
import { constants } from 'node:os';
import type { Ended, Remote } from './control.ts';

export interface LineOptions {
  /** Milliseconds; 30 s when not given. */
  readonly timeout?: number;
}

/** What it has said so far, and what it is still to say. Iterating begins at its first line, as often as one likes. */
export class Stream implements AsyncIterable<string> {
  /** Every line of stdout so far, without its newline. */
  readonly seen: string[] = [];
  /** How it ended; rejected when its host went away before that. */
  readonly ended: Promise<Ended>;
  readonly #ended = Promise.withResolvers<Ended>();
  readonly #command: string;
  readonly #fail: (message: string) => Error;
  #remote: Remote | undefined;
  #isOver = false;
  #rest = '';
  #searched = 0;
  #news = Promise.withResolvers<void>();

  constructor(command: string, fail: (message: string) => Error) {
    this.#command = command;
    this.#fail = fail;
    this.ended = this.#ended.promise;
    this.ended.catch(() => {});
  }

  /** Gives it the process that it stands for. */
  attach(remote: Remote): void {
    this.#remote = remote;
  }

  take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.seen.push(...lines);
    this.#wake();
  }

  end(how: Ended | Error): void {
    if (this.#rest !== '') this.seen.push(this.#rest);
    this.#isOver = true;
    if (how instanceof Error) this.#ended.reject(this.#fail(`'${this.#command}': ${how.message}`));
    else this.#ended.resolve(how);
    this.#wake();
  }

  /** Sends a signal to the command and all that it started. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#remote?.kill(constants.signals[signal]);
  }

  /** Waits for the next line that matches, after the one that this found last. */
  async line(pattern: RegExp, { timeout = 30_000 }: LineOptions = {}): Promise<string> {
    const deadline = AbortSignal.timeout(timeout);
    for (;;) {
      for (; this.#searched < this.seen.length; this.#searched += 1) {
        const line = this.seen[this.#searched] ?? '';
        if (!pattern.test(line)) continue;
        this.#searched += 1;
        return line;
      }
      const said = () => this.seen.slice(-20).join('\n');
      if (this.#isOver)
        throw this.#fail(`'${this.#command}' ended without a line like ${pattern}; its last ones:\n${said()}`);
      if (deadline.aborted)
        throw this.#fail(`'${this.#command}' had no line like ${pattern} in ${timeout} ms; its last ones:\n${said()}`);
      await Promise.race([this.#news.promise, aborted(deadline)]);
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<string> {
    for (let at = 0; ; at += 1) {
      while (at >= this.seen.length && !this.#isOver) await this.#news.promise;
      const line = this.seen[at];
      if (line === undefined) return;
      yield line;
    }
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
