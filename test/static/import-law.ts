// The import law of docs/architecture.md, as a table and the function that holds files to it.

export interface Import {
  readonly from: string;
  /** As written: `'./errors.ts'`, `'sltv'`, `'valibot'`, `'node:fs'`. */
  readonly to: string;
}

/** What stands at the foot of core: may import each other and nothing above, and may be imported by all of the daemon. */
const FOOT = 'core/(errors|files|log|nearest|node|patiently|queue|run|tls-files|units).ts';
/** The part of it that a client may load. */
const CLIENT_FOOT = 'core/(errors|nearest|tls-files|units).ts';
const KERNEL_DATA = 'core/kernel/(capability|verb).ts';

/** Of ours, what the files of a folder may import beside their own folder. `*` matches within one folder, `**` any depth. */
const LAW: Readonly<Record<string, readonly string[]>> = {
  'core/kernel/**': [FOOT],
  'core/capabilities/**': [FOOT, KERNEL_DATA],
  'core/disks/**': [FOOT, 'core/kernel/*', 'core/capabilities/*'],
  'core/nodes/**': [FOOT, 'core/kernel/*', 'core/capabilities/*', 'core/disks/*'],
  'core/api/**': [FOOT, 'core/kernel/*', 'core/capabilities/*', 'core/disks/*', 'core/nodes/*'],
  'core/client/**': [CLIENT_FOOT, KERNEL_DATA, 'core/api/gen/**'],
  'core/cli/**': [CLIENT_FOOT, 'core/kernel/verb.ts', 'core/client/**'],
  'core/testing/**': [FOOT, 'core/kernel/*', 'core/capabilities/*'],
  // The order of turns that every Storage keeps: it stands at the foot, but what a turn is, Storage says.
  'core/queue.ts': [FOOT, 'core/capabilities/storage.ts'],
  // Starting processes is told in several files; only the first of them is seen from elsewhere.
  'core/run.ts': [FOOT, 'core/run/*'],
  'core/run/**': [FOOT],
  [FOOT]: [],
};

/** They put the rooms together, so they may look into all of core; nobody but they may look at them. */
const COMPOSERS = 'core/(main|local|daemon|hook|plugin-test|bring-up|notify|unhandled).ts';
const INDEX = 'core/index.ts';

/** Every import, export-from and import() of a file, types included. TypeScript 7 has no parser to ask. */
export function importsOf(from: string, text: string): readonly Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const forms = [
    /^\s*(?:import|export)\b[^;'"`]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => ({ from, to: match[1] ?? '' })));
}

/** Says in a sentence which law an import breaks; undefined when none. */
export function breach({ from, to }: Import): string | undefined {
  const target = to.startsWith('.') ? new URL(to, `file:///${from}`).pathname.slice(1) : undefined;
  const plugin = /^plugins\/([^/]+)\//.exec(from)?.[1];
  if (plugin !== undefined) return breachOfPlugin(plugin, to, target);
  if (!from.startsWith('core/')) return undefined;
  if (/^sltv(\/|$)/.test(to)) return `core imports by path, never by its public name '${to}'`;
  if (target === undefined) return undefined;
  if (target === INDEX) return `nothing inside core imports ${INDEX}`;
  if (!target.startsWith('core/')) return 'core imports nothing of ours but core';
  if (from === INDEX || matches(COMPOSERS, from)) return undefined;
  if (matches(COMPOSERS, target)) return `${target} puts the rooms together; none of them imports it`;
  const [room = '', allowed = []] = Object.entries(LAW).find(([pattern]) => matches(pattern, from)) ?? [];
  if (room === '') return `${from} lies in no room that the import law knows`;
  return [room, ...allowed].some((pattern) => matches(pattern, target))
    ? undefined
    : `${room} may import of ours only ${[room, ...allowed].join(', ')}`;
}

function breachOfPlugin(plugin: string, to: string, target: string | undefined): string | undefined {
  if (target !== undefined) {
    return target.startsWith(`plugins/${plugin}/`)
      ? undefined
      : "a plugin imports of ours only 'sltv' and its own folder";
  }
  const published = /^sltv(?:\/(.+))?$/.exec(to);
  if (published && (published[1] === 'client' || published[1] === 'testing')) {
    return "a plugin imports of ours only 'sltv' and another plugin's published contract";
  }
  return undefined;
}

function matches(pattern: string, path: string): boolean {
  const source = pattern
    .replaceAll('.', '\\.')
    .replaceAll('**', '\u0000')
    .replaceAll('*', '[^/]*')
    .replaceAll('\u0000', '.*');
  return new RegExp(`^${source}$`).test(path);
}
