// Core's nouns, each loaded when it is asked for, and the old command line's words for them.
import type { Command, Commands } from './command.ts';

type Load = () => Promise<Commands>;

export const nouns: Readonly<Record<string, Load>> = {
  disk: async () => (await import('./disk.ts')).disk,
  attachment: async () => (await import('./attachment.ts')).attachment,
  pool: async () => (await import('./pool.ts')).pool,
  node: async () => (await import('./node.ts')).node,
  cluster: async () => (await import('./cluster.ts')).cluster,
  vm: async () => (await import('./vm.ts')).vm,
  status: async () => (await import('./status.ts')).status,
  operation: async () => (await import('./operation.ts')).operation,
  events: async () => (await import('./events.ts')).eventCommands,
  plugin: async () => (await import('./plugin.ts')).plugin,
  completion: async () => (await import('./completion.ts')).completion,
  config: async () => (await import('./config.ts')).config,
  init: async () => (await import('./init.ts')).init,
  daemon: async () => (await import('./daemon.ts')).daemon,
  hook: async () => (await import('./hook.ts')).hook,
  version: async () => (await import('./version.ts')).version,
};

/** Spellings of the old command line, which stay. */
export const aliases: Readonly<Record<string, string>> = {
  'create-disk': 'disk create',
  'delete-disk': 'disk delete',
  'get-disk': 'disk show',
  'list-disks': 'disk list',
  'extend-disk': 'disk extend',
  'attach-disk': 'disk attach',
  'detach-disk': 'disk detach',
  'list-attachments': 'attachment list',
};

/** All of core's commands, for pages that list them. */
export async function allCommands(): Promise<Commands> {
  return Object.assign({}, ...(await Promise.all(Object.values(nouns).map((load) => load()))));
}

/** What an old spelling stands for. */
export async function aliased(spelling: string): Promise<Command | undefined> {
  const words = aliases[spelling];
  const load = nouns[words?.split(' ')[0] ?? ''];
  return words === undefined || load === undefined ? undefined : (await load())[words];
}
