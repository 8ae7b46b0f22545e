// What a user does first, the same for every runtime of the bundle: smoke-*.test.ts say how each is started.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../core/api/gen/grpc/health/v1/health_pb.ts';
import { Sltv } from '../../core/api/gen/sltv/v1/sltv_pb.ts';
import manifest from '../../package.json' with { type: 'json' };
import { trustedFolder } from '../core/kernel/kit.ts';
import { IMPORTS, type Started, startDaemon, within } from '../fixtures/executable.ts';
import type { Answer } from '../fixtures/mistake.ts';
import { TRANSPORTS } from '../fixtures/transports.ts';
import { run } from '../fixtures/ways.ts';
import { loopVg } from '../plugins/lvm/fixture.ts';

export interface Runtime {
  readonly name: string;
  /** The words before `daemon` or `config`. */
  readonly host: readonly string[];
  /** The words before a client's, who is to reach the daemon at this socket. */
  readonly client: (socket: string) => readonly string[];
  /** What it says of `const a = ;` in the third line of c.ts. */
  readonly syntaxError: string;
}

export function smoke(runtime: Runtime): void {
  versions(runtime);
  configs(runtime);
  disks(runtime);
  volumeGroups(runtime);
}

function versions({ name, host }: Runtime): void {
  const test = suite(`${name}: its version`);
  for (const words of ['--version', 'version']) {
    test(`sltv ${words}`, async () => {
      assert.is((await run(host, [words])).stdout, `sltv ${manifest.version}\n`);
    });
  }
  test.run();
}

interface Setting {
  readonly path: string;
  readonly value: unknown;
  readonly from: string;
  readonly about?: string;
}

function configs({ name, host, syntaxError }: Runtime): void {
  const test = suite(`${name}: configs`);
  const settings = async (words: readonly string[], env = {}): Promise<readonly Setting[]> => {
    const { stdout, stderr, code } = await run(host, ['config', 'show', '--json', ...words], env);
    assert.is(code, 0, stderr);
    return JSON.parse(stdout).settings;
  };

  test('its own is in order', async () => {
    const found = await settings(['--default']);
    const vgs = found.find(({ path }) => path === 'lvm.vgs[0]');
    assert.equal([vgs?.value, vgs?.from], ['vg-sltv', 'default']);
    assert.match(vgs?.about ?? '', 'Volume Groups that are pools');
    assert.equal(found.find(({ path }) => path === 'libvirt.uri')?.value, 'qemu:///system');
  });

  test('one in TypeScript, with parts and packages of both kinds, has the bundle’s own sltv throughout', async () => {
    await using folder = await trustedFolder();
    write(folder.path, {
      'sltv.config.ts': `import { defineConfig } from 'sltv';
        import dir from 'sltv/dir';
        import localLock from 'sltv/local-lock';
        import hello from 'hello';
        import old from 'old';
        import { pool } from './pool';
        export default defineConfig({ plugins: [dir({ pools: { [pool]: '/srv/disks' } }), localLock(), hello({ loud: true }), old()] });`,
      'pool.ts': `export const pool: string = 'mine';`,
      'node_modules/hello/package.json': `{ "name": "hello", "type": "module", "exports": "./index.js" }`,
      'node_modules/hello/index.js': `import { definePlugin, v } from 'sltv';
        export default definePlugin({ name: 'hello', api: 1, options: v.strictObject({ loud: v.boolean() }), setup() {} });`,
      'node_modules/old/package.json': `{ "name": "old", "main": "./index.js" }`,
      'node_modules/old/index.js': `const { definePlugin } = require('sltv'); module.exports = definePlugin({ name: 'old', api: 1, setup() {} });`,
    });
    const words = ['--config', join(folder.path, 'sltv.config.ts')];
    const found = await settings(words, { SLTV_NODE_ID: 'n7' });
    const at = (path: string) => {
      const { value, from } = found.find((setting) => setting.path === path) ?? {};
      return { value, from };
    };
    assert.equal(at('dir.pools.mine'), { value: '/srv/disks', from: 'file' });
    assert.equal(at('hello.loud'), { value: true, from: 'file' });
    assert.equal(at('nodeId'), { value: 'n7', from: 'SLTV_NODE_ID' });
  });

  for (const [file, text, message] of [
    ['c.ts', `\nenum A { B }\nexport default { A };`, 'c.ts:2: TypeScript enum is not supported'],
    ['c.ts', `\n\nconst a = ;`, syntaxError],
    ['c.mjs', `\nconst a = ;`, "c.mjs:2: Unexpected token ';'"],
    [
      'c.ts',
      `import lvm from 'sltv/lvm';\nexport default { plugins: [lvm({ vgz: 1 } as object)] };`,
      'lvm.vgz: is not an option: did you mean vgs?',
    ],
  ] as const) {
    test(`one is refused with: ${message}`, async () => {
      await using folder = await trustedFolder();
      write(folder.path, { [file]: text });
      const { stderr, code } = await run(host, ['config', 'check', '--config', join(folder.path, file)]);
      assert.is(code, 2);
      assert.match(stderr, message);
    });
  }
  test.run();
}

function disks({ name, host, client }: Runtime): void {
  const test = suite(`${name}: a daemon with a directory of disks`);
  const life = new AsyncDisposableStack();
  let folder: string;
  let daemon: Started;
  const socket = () => join(folder, 'socket');
  const typed = (line: string): Promise<Answer> =>
    run(client(socket()), line.split(' '), { SLTV_ADDR: `unix://${socket()}` });
  const said = async (line: string) => {
    const { code, stdout, stderr } = await typed(`${line} --json`);
    assert.is(code, 0, stderr);
    return JSON.parse(stdout || '{}');
  };

  test.before(async () => {
    folder = life.use(await trustedFolder()).path;
    mkdirSync(join(folder, 'disks'));
    write(folder, {
      'sltv.config.ts': `${IMPORTS}import hello from 'hello';
        import { room } from './room';
        export default defineConfig({
          ${within(folder)}, thinInitialSize: '1M', reserve: 0,
          plugins: [dir({ pools: { here: room } }), localLock(), hello()],
        });`,
      'room.ts': `export const room: string = '${folder}/disks' satisfies string;`,
      'node_modules/hello/package.json': `{ "name": "hello", "type": "module", "exports": "./index.js" }`,
      'node_modules/hello/index.js': HELLO,
    });
    daemon = life.use(await startDaemon(host, join(folder, 'sltv.config.ts')));
  });
  test.after(() => life.disposeAsync());

  test('it has the plugins of its config', async () => {
    const { plugins }: { plugins: { name: string }[] } = await said('plugin list');
    assert.equal(plugins.map(({ name }) => name).toSorted(), ['dir', 'disks', 'hello', 'local-lock', 'nodes']);
  });

  test('a thick disk is made, grown and removed', async () => {
    assert.is((await said('disk create thick --size 1M')).state, 'ready');
    assert.is((await said('disk show thick')).devicePath, join(folder, 'disks/thick'));
    const grown = await said('disk extend thick --delta 1M');
    assert.equal([grown.sizeBytes, grown.virtualSizeBytes], [String(2 * 2 ** 20), String(2 * 2 ** 20)]);
    await said('disk delete thick');
    assert.equal((await said('disk list')).disks, []);
  });

  test('a thin disk is made, resized, grown and removed', async () => {
    assert.is((await said('disk create thin --thin --virtual-size 8M')).virtualSizeBytes, String(8 * 2 ** 20));
    assert.is((await said('disk resize thin --virtual-size 16M')).virtualSizeBytes, String(16 * 2 ** 20));
    assert.is((await said('disk extend thin --size 2M')).sizeBytes, String(2 * 2 ** 20));
    await said('disk delete thin');
  });

  test('a mistake has its sentence, hint, code and exit status', async () => {
    const { code, stdout, stderr } = await typed('disk show none');
    assert.equal([code, stdout], [3, '']);
    assert.match(stderr, 'sltv: there is no disk none\nhint: sltv disk list      [core/disk-missing]');
    const shrunk = await typed('disk create much --size 9E');
    assert.is(shrunk.code, 2, shrunk.stderr);
  });

  test('verbs of a plugin answer, as an item and as a stream', async () => {
    assert.equal(await said('hello greet web'), { results: [{ text: 'hello web' }] });
    const { stdout } = await typed('hello count --json');
    assert.equal(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      [{ result: { number: 1 } }, { result: { number: 2 } }],
    );
  });

  for (const [protocol, transport] of Object.entries(TRANSPORTS)) {
    test(`it answers ${protocol}`, async () => {
      const sltv = createClient(Sltv, transport(socket()));
      const made = await sltv.createDisk({ name: 'wire', sizeBytes: 2n ** 20n });
      assert.equal((await sltv.listDisks({})).disks, [made]);
      await sltv.deleteDisk({ name: 'wire' });
      const gone = await sltv.getDisk({ name: 'wire' }).catch((error) => error);
      assert.is(gone.rawMessage, 'there is no disk wire');
      const { status } = await createClient(Health, transport(socket())).check({});
      assert.is(status, Status.SERVING);
    });
  }

  test('it stops at SIGTERM, and says so', async () => {
    assert.is(await daemon.stop(), 0);
    assert.match(daemon.log(), '"message":"stopped"');
    assert.is((await typed('disk list')).code, 10, 'nobody is there any more');
  });
  test.run();
}

const HELLO = `import { definePlugin, verb } from 'sltv';
  const text = { type: 'text', about: 'a text' };
  export default definePlugin({
    name: 'hello',
    api: 1,
    verbs: {
      'hello greet': verb({
        about: 'greets', example: 'sltv hello greet web', role: 'viewer',
        args: { whom: text }, options: {}, gives: 'item', result: { text },
      }),
      'hello count': verb({
        about: 'counts', example: 'sltv hello count', role: 'viewer',
        args: {}, options: {}, gives: 'stream', result: { number: { type: 'count', about: 'a number' } },
      }),
    },
    setup: () => ({
      verbs: {
        'hello greet': async ({ whom }) => ({ text: 'hello ' + whom }),
        'hello count': async function* () { yield { number: 1 }; yield { number: 2 }; },
      },
    }),
  });`;

/** As far as lvm2 goes without device-mapper: it makes and grows Volume Groups, and gives no volume a device. */
function volumeGroups({ name, host, client }: Runtime): void {
  const test = suite(`${name}: a daemon with a Volume Group`);
  test('it is made, shown and grown', async () => {
    await using folder = await trustedFolder();
    await using loop = await loopVg({ sizes: [64, 64], vg: false });
    const [first, second] = loop.devices;
    write(folder.path, {
      'c.mjs': `${IMPORTS}export default defineConfig({ ${within(folder.path)}, plugins: [lvm({ vgs: ['${loop.name}'] }), localLock()] });`,
    });
    await using _daemon = await startDaemon(host, join(folder.path, 'c.mjs'), loop.env);
    const socket = join(folder.path, 'socket');
    const said = async (...words: string[]) => {
      const answer = await run(client(socket), [...words, '--json'], { SLTV_ADDR: `unix://${socket}` });
      assert.is(answer.code, 0, answer.stderr);
      return JSON.parse(answer.stdout);
    };
    const { pool: made } = await said('pool', 'create', loop.name, String(first));
    assert.equal([made.kind, made.devices], ['lvm', [first]]);
    const { pool: grown } = await said('pool', 'extend', loop.name, String(second));
    assert.equal(grown.devices, [first, second]);
    assert.ok(BigInt(grown.sizeBytes) > BigInt(made.sizeBytes));
    assert.equal((await said('pool', 'list')).pools, [(await said('pool', 'show', loop.name)).pool]);
    assert.is(await loop.vg('vg_free_count'), String(BigInt(grown.freeBytes) / BigInt(grown.extentBytes)));
  });
  test.run();
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
