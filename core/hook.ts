// `sltv hook NAME …`, and the scripts by which hypervisors call it: in a process of its own, without daemon or hypervisor.
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bringUp } from './bring-up.ts';
import { Cluster } from './capabilities/cluster.ts';
import { Hooks } from './capabilities/hypervisor.ts';
import { Storage } from './capabilities/storage.ts';
import { runHook } from './disks/hook.ts';
import { createPromises } from './disks/promises.ts';
import { coreErrors } from './errors.ts';
import { writeDurably } from './files.ts';
import type { LoadOptions } from './kernel/loader.ts';
import { openConfig } from './kernel/open-config.ts';
import type { Log } from './log.ts';

export interface HookOptions extends LoadOptions {
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface HookCall {
  /** The word after `sltv hook`. */
  readonly name: string;
  readonly args: readonly string[];
  /** What the hypervisor wrote to stdin. */
  readonly input: string;
}

/** Does what a VM's transition asks of its disks. Errors: runHook's; `core/no-provider` for a hook that nobody has. */
export async function answerHook(options: HookOptions, { name, args, input }: HookCall): Promise<void> {
  const { log, signal } = options;
  const config = await openConfig(options);
  const { booted, node } = await bringUp(config, { log, signal, only: [Storage, Hooks, Cluster], isWriter: false });
  try {
    const hooks = booted.all(Hooks);
    const hook = hooks.find((candidate) => candidate.name === name);
    if (hook === undefined) {
      const names = hooks.map((candidate) => candidate.name);
      throw coreErrors('no-provider', `no plugin in the config has a hook '${name}'`, {
        hint: names.length > 0 ? `there is ${names.join(', ')}` : 'add libvirt() to plugins',
      });
    }
    const transition = hook.read(args, input);
    if (transition === undefined) return;
    const promises = createPromises(node);
    const cluster = booted.provided(Cluster);
    await runHook({ storages: booted.all(Storage), cluster, promises, node, log, signal }, transition);
  } finally {
    await booted.stop();
  }
}

export interface InstalledHook {
  readonly name: string;
  readonly path: string;
  /** False when the file was there already, as it should be. */
  readonly isNew: boolean;
  /** What is left to do, in a sentence. */
  readonly remark: string | undefined;
}

/** Writes the script of every hook that the config's plugins have; `executable` is what the scripts call. */
export async function installHooks(options: HookOptions, executable: string): Promise<readonly InstalledHook[]> {
  const { log, signal } = options;
  const { booted } = await bringUp(await openConfig(options), { log, signal, only: [Hooks], isWriter: false });
  try {
    const installed: InstalledHook[] = [];
    for (const { name, script } of booted.all(Hooks)) {
      const { path, text, remark } = script(executable);
      const isNew = (await readFile(path, 'utf8').catch(() => undefined)) !== text;
      if (isNew) {
        await mkdir(dirname(path), { recursive: true, mode: 0o755 });
        await writeDurably(path, text);
      }
      await chmod(path, 0o755);
      installed.push({ name, path, isNew, remark: isNew ? remark : undefined });
    }
    return installed;
  } finally {
    await booted.stop();
  }
}
