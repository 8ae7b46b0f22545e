// Makes dist/sltv.mjs, which Node 24 and Deno run, and dist/sltv, the single executable: the same code with its Node inside.
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

const root = import.meta.dirname;
const dist = join(root, 'dist');
const SCRIPT = { filename: 'sltv' };
// Beside dist, on the same file system, so that what is finished can be moved into place while an older one runs.
mkdirSync(dist, { recursive: true });
const workshop = mkdtempSync(join(dist, '.build-'));
try {
  await Promise.all([bundleModule(), bundleForExecutable()]);
  await makeExecutable();
} finally {
  rmSync(workshop, { recursive: true, force: true });
}

/** One ES module. Packages that are CommonJS inside call `require` for what Node brings along. */
async function bundleModule() {
  const outfile = join(workshop, 'sltv.mjs');
  const require =
    "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);";
  await bundle({ outfile, format: 'esm', banner: { js: require } });
  chmodSync(outfile, 0o755);
  put('sltv.mjs');
}

/**
 * CommonJS, because an ES module as the main of an executable costs 25 ms; and in two scripts, because the size of the
 * first is paid for even by `sltv --version`. Both have their compiled code beside them.
 */
async function bundleForExecutable() {
  await bundle({ outfile: join(workshop, 'app.js'), entryPoints: [join(root, 'app.ts')], format: 'cjs' });
  const text = `(function (require, module, exports) {${readFileSync(join(workshop, 'app.js'), 'utf8')}\n})`;
  writeFileSync(join(workshop, 'app.js'), text);
  writeFileSync(join(workshop, 'app.code'), new Script(text, SCRIPT).createCachedData());
  await bundle({ outfile: join(workshop, 'sltv.cjs'), format: 'cjs', plugins: [appFromAssets()] });
}

/** Lets the first script take app.ts from the executable's assets. */
function appFromAssets() {
  const contents = `
    import { getAsset, getRawAsset } from 'node:sea';
    import { Script } from 'node:vm';
    const cachedData = Buffer.from(getRawAsset('app.code'));
    const script = new Script(getAsset('app.js', 'utf8'), { ...${JSON.stringify(SCRIPT)}, cachedData });
    const app = { exports: {} };
    script.runInThisContext()(require, app, app.exports);
    export const { start } = app.exports;`;
  return {
    name: 'app-from-assets',
    setup: ({ onLoad }) => onLoad({ filter: /\/app\.ts$/ }, () => ({ contents, loader: 'js' })),
  };
}

async function bundle(options) {
  await build({
    entryPoints: [join(root, 'sltv.ts')],
    bundle: true,
    platform: 'node',
    target: 'node24',
    // Names stay, for whoever reads a stack at night.
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    ...options,
    plugins: [protoOfEtcd(), ...(options.plugins ?? [])],
  });
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
      assets: Object.fromEntries(['app.js', 'app.code'].map((name) => [name, join(workshop, name)])),
    },
  };
  await quietly(() => sea.default(join(workshop, 'sltv.cjs'), options));
  put('sltv');
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
  renameSync(join(workshop, name), path);
  console.log(`dist/${name}  ${(statSync(path).size / 1e6).toFixed(1)} MB`);
}
