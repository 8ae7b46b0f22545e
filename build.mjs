// Makes dist/sltv.mjs, which Node 24 and Deno run; dist/sltv, the single executable: the same code with its Node inside; what
// both carry for `sltv init`; dist/package, which `npm pack` packs; and dist/bundled.json, which names the npm packages inside.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import sea from '@yao-pkg/pkg/lib-es5/sea.js';
import { build } from 'esbuild';
import { bundledPackages } from './build/bundled.mjs';
import { writeInit } from './build/init.mjs';
import { writePackage } from './build/package.mjs';
import { writeTypes } from './build/types.mjs';
import manifest from './package.json' with { type: 'json' };

const root = import.meta.dirname;
const dist = join(root, 'dist');
/** What core/kernel/init-folder.ts asks for. */
const INIT = 'init.json.br';
/** What deploy/release/sbom.ts asks for: `name@version` of each npm package. */
const BUNDLED = 'bundled.json';
const bundled = new Set();
/** The source of each public module by its name: `sltv`, `client`, `lvm`. */
const modules = Object.fromEntries(
  Object.entries(manifest.exports).map(([name, file]) => [name === '.' ? 'sltv' : name.slice(2), join(root, file)]),
);
// Beside dist, on the same file system, so that what is finished can be moved into place while an older one runs.
mkdirSync(dist, { recursive: true });
const workshop = mkdtempSync(join(dist, '.build-'));
try {
  const types = join(workshop, 'types');
  await Promise.all([bundleModule(), bundleForExecutable(), writeTypes(types, { root, modules })]);
  writeInit(join(workshop, INIT), { root, types });
  await makeExecutable();
  await writePackage(join(workshop, 'package'), {
    ...{ root, manifest, modules, bundle, types },
    program: ['sltv.mjs', INIT].map((name) => join(workshop, name)),
  });
  writeFileSync(join(workshop, BUNDLED), `${JSON.stringify([...bundled].sort(), undefined, 2)}\n`);
  for (const name of ['sltv.mjs', INIT, 'sltv', 'package', BUNDLED]) put(name);
} finally {
  rmSync(workshop, { recursive: true, force: true });
}

async function bundleModule() {
  const outfile = join(workshop, 'sltv.mjs');
  await bundle({ outfile, format: 'esm' });
  chmodSync(outfile, 0o755);
}

/**
 * CommonJS, because an ES module as the main of an executable costs 25 ms; and in three scripts, because the size of each is paid
 * for when it is loaded: the first by `sltv --version`, the second by every verb, the third by those that need no daemon.
 */
async function bundleForExecutable() {
  await Promise.all([bundleAsset('local'), bundleAsset('app', 'local')]);
  await bundle({ outfile: join(workshop, 'sltv.cjs'), format: 'cjs', plugins: [fromAssets('app')] });
}

/** A script with its compiled code beside it; it takes another one, `later`, from the assets when it is imported. */
async function bundleAsset(name, later) {
  const file = join(workshop, `${name}.js`);
  const plugins = later === undefined ? [] : [fromAssets(later)];
  await bundle({ outfile: file, entryPoints: [join(root, `${name}.ts`)], format: 'cjs', plugins });
  const text = `(function (require, module, exports) {${readFileSync(file, 'utf8')}\n})`;
  const [imported] = /\bimport\("[^"]*"\)/.exec(text) ?? [];
  if (imported)
    throw new Error(`${name}.ts: ${imported} works in no script from the assets: process.getBuiltinModule does`);
  writeFileSync(file, text);
  writeFileSync(join(workshop, `${name}.code`), new Script(text, { filename: name }).createCachedData());
}

/** Lets a script take one of the top folder's modules from the executable's assets. */
function fromAssets(name) {
  const what = { app: 'start', local: 'local' }[name];
  const contents = `
    import { getAsset, getRawAsset } from 'node:sea';
    import { Script } from 'node:vm';
    const cachedData = Buffer.from(getRawAsset('${name}.code'));
    const script = new Script(getAsset('${name}.js', 'utf8'), { filename: '${name}', cachedData });
    const loaded = { exports: {} };
    script.runInThisContext()(require, loaded, loaded.exports);
    export const { ${what} } = loaded.exports;`;
  return {
    name: `${name}-from-assets`,
    setup: ({ onLoad }) => onLoad({ filter: new RegExp(`^${root}/${name}\\.ts$`) }, () => ({ contents, loader: 'js' })),
  };
}

async function bundle(options) {
  // Packages that are CommonJS inside call `require` for what Node brings along.
  const require =
    "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);";
  const { metafile } = await build({
    entryPoints: [join(root, 'sltv.ts')],
    absWorkingDir: root,
    metafile: true,
    bundle: true,
    platform: 'node',
    target: 'node24',
    // Names stay, for whoever reads a stack at night.
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    ...(options.format === 'esm' && { banner: { js: require } }),
    ...options,
    plugins: [protoOfEtcd(), ...(options.plugins ?? [])],
  });
  for (const name of bundledPackages(metafile, root)) bundled.add(name);
}

/** etcd3 reads its .proto files when it is loaded; in a bundle there are none, so they are part of it. */
function protoOfEtcd() {
  const file = /\/etcd3\/lib\/connection-pool\.js$/;
  const call = /\.loadSync\)\(`\$\{__dirname\}\/\.\.\/proto\/rpc\.proto`,/;
  return {
    name: 'proto-of-etcd',
    setup: ({ onLoad }) =>
      onLoad({ filter: file }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (!call.test(text)) throw new Error(`etcd3 loads its .proto files in another way now: ${path}`);
        // proto-loader reads them with this, too.
        const { Root } = createRequire(createRequire(path).resolve('@grpc/proto-loader'))('protobufjs');
        const root = new Root().loadSync(join(path, '../../proto/rpc.proto'), { keepCase: true });
        return { contents: text.replace(call, () => `.fromJSON)(${JSON.stringify(root.toJSON())},`) };
      }),
  };
}

async function makeExecutable() {
  const nodePath = strippedNode();
  const target = { nodeRange: `node${process.versions.node}`, platform: 'linux', arch: process.arch };
  const options = {
    nodePath,
    signature: true,
    targets: [{ ...target, output: join(workshop, 'sltv') }],
    seaConfig: {
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: true,
      // Without the first, a signal opens the inspector; the second is about the type stripping of a config, the third about
      // an etcd with TLS whose endpoint is an IP address, which grpc-js also gives as the server's name.
      execArgv: ['--disable-sigusr1', '--disable-warning=ExperimentalWarning', '--disable-warning=DEP0123'],
      // Else NODE_OPTIONS would put code into a process that runs as root.
      execArgvExtension: 'none',
      assets: Object.fromEntries(
        ['app.js', 'app.code', 'local.js', 'local.code', INIT].map((name) => [name, join(workshop, name)]),
      ),
    },
  };
  await quietly(() => sea.default(join(workshop, 'sltv.cjs'), options));
}

/** A sixth of Node is symbols for its own debuggers. Without binutils the executable is larger and otherwise the same. */
function strippedNode() {
  const copy = join(workshop, 'node');
  copyFileSync(process.execPath, copy);
  try {
    execFileSync('strip', [copy], { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    console.error(`build: not stripped (${error.code === 'ENOENT' ? 'no binutils' : error.message.trim()})`);
    copyFileSync(process.execPath, copy);
  }
  return copy;
}

/** pkg tells every step. */
async function quietly(work) {
  const { log } = console;
  console.log = () => {};
  try {
    await work();
  } finally {
    console.log = log;
  }
}

function put(name) {
  const path = join(dist, name);
  // A folder takes no other's place.
  if (statSync(join(workshop, name)).isDirectory()) rmSync(path, { recursive: true, force: true });
  renameSync(join(workshop, name), path);
  const { size } = statSync(path);
  console.log(`dist/${name}${size < 1e5 ? '' : `  ${(size / 1e6).toFixed(1)} MB`}`);
}
