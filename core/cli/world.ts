// What a command line runs in. core/main.ts makes the real one; tests make theirs and run in their own process.

/** A stream that takes text: `process.stdout`, or a test's. */
export interface Out {
  write(text: string): unknown;
  /** Where writing fails later: into a pipe whose reader has gone. */
  on?(event: 'error', listener: (error: Error) => void): unknown;
}

export interface World {
  readonly stdout: Out;
  readonly stderr: Out;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether stdout is a terminal: colours are for people. */
  readonly isTTY: boolean;
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal;
  /** Asks whoever sits there, and gives the answer; undefined where nobody does. */
  ask?(question: string, signal: AbortSignal): Promise<string | undefined>;
  /** Lets so many milliseconds pass; rejects when the signal fires. */
  pause(milliseconds: number, signal: AbortSignal): Promise<void>;
  readonly version: string;
  /** What this process does itself, without a daemon; loaded when a verb asks for it, since it is most of the program. */
  local(): Promise<Local>;
}

/** Verbs that need no daemon. Errors are SltvErrors. `config`: `--config`, as it was given. */
export interface Local {
  /** Runs the daemon until a signal ends it; the exit code. */
  daemon(options: Given): Promise<number>;
  /** Reads and checks the config and all plugins' options; the file's path. Errors: `core/config` with every problem. */
  checkConfig(options: Given): Promise<string>;
  /** All effective values; `isDefault` shows those of a host without a file. */
  showConfig(options: Given & { readonly isDefault: boolean }): Promise<readonly Setting[]>;
  /** Writes a config to begin with, and what an editor needs to check it; `folder` as it was typed. What a person wrote stays. */
  initFolder(folder: string | undefined): Promise<InitReport>;
  /** Writes the hypervisors' hook scripts; a second time changes nothing. */
  installHooks(options: Given): Promise<readonly InstalledHook[]>;
  /** Holds what a plugin provides to the conformance suites, and tells of each case as it ends. Errors: `core/config`. */
  testPlugin(options: PluginTest): AsyncIterable<CaseResult>;
  /** Answers a hypervisor that calls its hook; what it says comes on stdin. */
  hook(options: Given & { readonly name: string; readonly args: readonly string[] }): Promise<void>;
}

interface Given {
  readonly config: string | undefined;
  readonly signal: AbortSignal;
}

interface PluginTest {
  readonly file: string;
  /** Milliseconds that one case may take; undefined: as the file says. */
  readonly patience: number | undefined;
  readonly signal: AbortSignal;
}

export interface CaseResult {
  /** The provider, and a fact. */
  readonly case: string;
  readonly result: 'ok' | 'failed' | 'not run';
  readonly why: string | undefined;
}

export interface Setting {
  /** `lvm.vgs`. */
  readonly path: string;
  readonly value: unknown;
  /** `default`, `file`, or the variable that set it. */
  readonly from: string;
  /** What it means, as its schema says. */
  readonly about: string | undefined;
}

export interface InitReport {
  readonly files: readonly { readonly path: string; readonly now: 'written' | 'renewed' | 'kept' }[];
  /** What is left to do, in sentences. */
  readonly remarks: readonly string[];
}

export interface InstalledHook {
  /** The word after `sltv hook`. */
  readonly name: string;
  readonly path: string;
  /** False when the file was there already, as it should be. */
  readonly isNew: boolean;
  /** What is left to do for the hypervisor to take notice, in a sentence. */
  readonly remark: string | undefined;
}
