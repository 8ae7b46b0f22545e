// Declarations of the public modules: a file for each, what several of them share, and valibot's own, which `v` is.
// Nothing has to be installed to check a config or a plugin with them but Node's types.
import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join, relative } from 'node:path';

const require = createRequire(import.meta.url);

/** Writes `sltv.d.ts`, `client.d.ts`, … into a folder. `modules`: the source file of each, by its name. */
export async function writeTypes(folder, { root, modules }) {
  const whole = `${folder}-whole`;
  declare(whole, { root, files: Object.values(modules) });
  const input = mapped(modules, (file) => join(whole, relative(root, file).replace(/\.ts$/, '.d.ts')));
  await bundle(folder, input);
  for (const name of globSync('*.d.ts', { cwd: folder })) explainOptions(join(folder, name));
  copyFileSync(join(dirname(require.resolve('valibot')), 'index.d.mts'), join(folder, 'valibot.d.ts'));
  rmSync(whole, { recursive: true });
}

/** The declarations of every source file that these files reach. */
function declare(outDir, { root, files }) {
  const compilerOptions = {
    ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: root, outDir },
    // That is another step's affair.
    noCheck: true,
  };
  const project = `${outDir}.json`;
  writeFileSync(project, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }));
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
}

async function bundle(folder, input) {
  // The bundler works with TypeScript's own API, which the native TypeScript does not have.
  const hooks = registerHooks({
    resolve: (specifier, context, next) => next(specifier === 'typescript' ? 'typescript-5' : specifier, context),
  });
  const [{ rollup }, { dts }] = await Promise.all([import('rollup'), import('rollup-plugin-dts')]);
  hooks.deregister();
  const made = await rollup({
    input,
    external: [/^node:/, 'valibot'],
    plugins: [ourOwn(input), dts({ respectExternal: true })],
    // A type that is not found would become `any`, which lets everything through.
    onwarn(warning) {
      throw new Error(`types: ${warning.message}`);
    },
  });
  await made.write({
    dir: folder,
    entryFileNames: '[name].d.ts',
    chunkFileNames: 'shared-[hash].d.ts',
    paths: { valibot: './valibot.js' },
  });
}

/**
 * Puts what a schema says of an option where an editor looks for it: above the option. In a declaration the description is the
 * last that is said of one: on the line on which it ends, which is as far to the right as the one on which it begins.
 */
function explainOptions(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const above = new Map();
  const begun = new Map();
  for (const [at, line] of lines.entries()) {
    const indent = line.search(/\S/);
    if (/^\s+readonly \w+: /.test(line)) begun.set(indent, at);
    const begin = begun.get(indent);
    if (begin === undefined || !line.endsWith('>]>;')) continue;
    const [, about] = LAST_DESCRIPTION.exec(lines.slice(begin, at + 1).join('\n')) ?? [];
    if (about !== undefined) above.set(begin, JSON.parse(about));
  }
  const explained = lines.flatMap((line, at) =>
    above.has(at) ? [`${' '.repeat(line.search(/\S/))}/** ${above.get(at)} */`, line] : [line],
  );
  writeFileSync(file, explained.join('\n'));
}

const LAST_DESCRIPTION = /DescriptionAction<(?:(?!v\.\w+Action<)[\s\S])*, ("(?:[^"\\]|\\.)*")>\]>;$/;

/** Finds `sltv` and `sltv/…`, which a plugin imports. */
function ourOwn(modules) {
  const byName = new Map(
    Object.entries(modules).map(([name, file]) => [name === 'sltv' ? name : `sltv/${name}`, file]),
  );
  return { name: 'our-own', resolveId: (id) => byName.get(id) };
}

const mapped = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
