// The npm package: the command, and JavaScript with types for whoever writes plugins, tests and clients. The repository's own
// package.json leads to the sources instead, which npm could not publish: Node runs no TypeScript of packages.
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** `modules`: source files by name; `bundle`: esbuild with our options; `types`: a folder; `program`: the command's files. */
export async function writePackage(folder, { root, manifest, modules, bundle, types, program }) {
  mkdirSync(folder);
  await bundle({
    entryPoints: modules,
    outdir: join(folder, 'lib'),
    format: 'esm',
    splitting: true,
    chunkNames: 'shared-[hash]',
  });
  cpSync(types, join(folder, 'types'), { recursive: true });
  for (const file of [...program, join(root, 'README.md')]) copyFileSync(file, join(folder, basename(file)));
  const files = ['lib', 'types', ...program.map((file) => basename(file))];
  const text = JSON.stringify({ ...published(manifest, Object.keys(modules)), files }, undefined, 2);
  writeFileSync(join(folder, 'package.json'), `${text}\n`);
}

function published({ name, version, description, license }, modules) {
  return {
    ...{ name, version, description, license },
    type: 'module',
    // AsyncDisposableStack, and TypeScript configs.
    engines: { node: '>=24' },
    bin: { sltv: 'sltv.mjs' },
    exports: Object.fromEntries(
      modules.map((module) => [
        module === 'sltv' ? '.' : `./${module}`,
        { types: `./types/${module}.d.ts`, default: `./lib/${module}.js` },
      ]),
    ),
  };
}
