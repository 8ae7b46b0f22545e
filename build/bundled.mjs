// Which npm packages are really in what esbuild made: what it read and threw away again is not.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** `name@version` of every package that left something in the outputs of this metafile. */
export function bundledPackages({ outputs }, root) {
  const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const left = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  const folders = new Set(left.flatMap((path) => PACKAGE.exec(path)?.[0] ?? []));
  return [...folders].map((folder) => {
    const { name, version } = JSON.parse(readFileSync(resolve(root, folder, 'package.json'), 'utf8'));
    return `${name}@${version}`;
  });
}

/** The folder of the innermost package that a file is in. */
const PACKAGE = /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/;
