// All that `sltv init` writes, as one file that the program carries: deploy/config, and in .types the declarations of sltv
// and of Node.
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

/** `types`: the folder that writeTypes wrote into. */
export function writeInit(path, { root, types }) {
  const config = join(root, 'deploy/config');
  const files = {
    'sltv.config.ts': join(config, 'sltv.config.ts'),
    'tsconfig.json': join(config, 'tsconfig.json'),
    '.types/tsconfig.json': join(config, 'tsconfig.types.json'),
    ...declarations(types, '.types'),
    ...nodeTypes(root),
  };
  const texts = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, readFileSync(file, 'utf8')]));
  const text = Buffer.from(JSON.stringify(texts));
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: text.length, [constants.BROTLI_PARAM_QUALITY]: QUALITY };
  writeFileSync(path, brotliCompressSync(text, { params }));
}

/** Of 11: beyond it costs seconds, and saves little. */
const QUALITY = 9;

/** A config reads a password from a file now and then, and a plugin does little without Node. */
function nodeTypes(root) {
  const node = createRequire(join(root, 'package.json')).resolve('@types/node/package.json');
  const undici = createRequire(node).resolve('undici-types/package.json');
  return {
    ...declarations(dirname(node), '.types/node', ['package.json', 'LICENSE']),
    ...declarations(dirname(undici), '.types/undici-types', ['package.json', 'LICENSE']),
  };
}

/** From where each is to be to where it is. Those for TypeScript before 5.8 are left out. */
function declarations(folder, to, more = []) {
  const names = globSync('**/*.d.ts', { cwd: folder, exclude: ['ts5.*'] });
  return Object.fromEntries([...names.sort(), ...more].map((name) => [`${to}/${name}`, join(folder, name)]));
}
