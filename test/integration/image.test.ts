import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import manifest from '../../package.json' with { type: 'json' };
import { begun, commandOf, finished, type Image } from '../image/chroot.ts';
import { stagesOf } from '../image/dockerfile.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'deploy/docker');
const text = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

let context: string;
let image: Image;
test.before(async () => {
  context = await mkdtemp(join(tmpdir(), 'sltv-context-'));
  const ignored = text('Dockerfile.dockerignore').split('\n');
  cpSync(ROOT, context, { recursive: true, filter: (path) => !ignored.includes(relative(ROOT, path) || '/') });
  const images: Image[] = [];
  for (const stage of stagesOf(join(FOLDER, 'Dockerfile'))) {
    const next = await begun(stage);
    await finished(next, context, images);
    images.push(next);
  }
  const last = images.at(-1);
  if (last === undefined) throw new Error('the Dockerfile has no stage');
  image = last;
});
test.after(async () => {
  await rm(context, { recursive: true, force: true });
});

/** A daemon with a directory of disks, started as an engine would; these lines are typed once it is ready. */
async function withDaemon(lines: readonly string[]): Promise<readonly unknown[]> {
  const config = `import { defineConfig } from 'sltv';
import dir from 'sltv/dir';
import localLock from 'sltv/local-lock';
export default defineConfig({ plugins: [dir({ pools: { images: '/var/lib/sltv/disks' } }), localLock()] });`;
  mkdirSync(join(image.path, 'etc/sltv'), { recursive: true });
  writeFileSync(join(image.path, 'etc/sltv/sltv.config.ts'), config);
  // A volume of the host's, like the rest of what the page tells of.
  cpSync('/etc/machine-id', join(image.path, 'etc/machine-id'));
  const { code, stdout, stderr } = await image.sh(
    `mount -t tmpfs none /run && mount -t tmpfs none /var/lib && mkdir -p /var/lib/sltv/disks
    { ${commandOf(image.stage).join(' ')} 2>&1 & echo $! > /run/pid; wait; } | tee /run/log | {
      grep -q -m1 '"message":"ready"' || { cat /run/log; exit 1; }
      ${lines.map((line) => `${line} || echo "null" "$?" >&2`).join('\n')}
      kill "$(cat /run/pid)"
      cat > /run/rest
    }`,
    { timeout: 60_000 },
  );
  assert.equal([code, stderr], [0, ''], stdout);
  return stdout.split(/^(?=\{)/m).map((part) => JSON.parse(part));
}

test('it is Debian with the executable, which root runs as the daemon', async () => {
  assert.is((await image.sh('sltv --version')).stdout, `sltv ${manifest.version}\n`);
  assert.equal(commandOf(image.stage), ['sltv', 'daemon']);
  assert.match((await image.sh('cat /etc/os-release')).stdout, 'Debian GNU/Linux 12');
  assert.is((await image.sh('test -e /src')).code, 1, 'nothing of the build is in it');
});

test('it has every program that the daemon runs', async () => {
  for (const line of [
    'lvm version',
    'qemu-img --version',
    'virsh --version',
    'fallocate --version',
    'thin_check --version',
  ]) {
    const { code, stderr } = await image.sh(line);
    assert.is(code, 0, `${line}: ${stderr}`);
  }
});

test('its daemon makes disks, thick and thin, and is found healthy', async () => {
  const health = image.stage.steps.find(({ keyword }) => keyword === 'HEALTHCHECK')?.text ?? '';
  const check: readonly string[] = JSON.parse(health.slice(health.indexOf('[')));
  const [, thick, thin] = await withDaemon([
    `${check.join(' ')} --json`,
    'sltv disk create web01 --size 4M --json',
    'sltv disk create web02 --thin --virtual-size 1G --json',
  ]);
  assert.match(JSON.stringify(thick), /"name":"web01".*"sizeBytes":"4194304"/);
  assert.match(JSON.stringify(thin), /"name":"web02".*"virtualSizeBytes":"1073741824"/);
});

/** What compose.yaml and the quadlet mount. */
const volumesIn = (name: string) =>
  [...text(name).matchAll(/(?:^ +- |^Volume=)(\/\S+)$/gm)].map(([, volume = '']) => volume).sort();

test('compose and podman mount the same, which is what the page lists', () => {
  const volumes = volumesIn('compose.yaml');
  assert.ok(volumes.length > 8);
  assert.equal(volumesIn('sltv.container'), volumes);
  const rows = [...text('README.md').matchAll(/^\| (`\/.+?) \|/gm)].flatMap(
    ([, row = '']) => row.match(/\/[\w/-]+/g) ?? [],
  );
  assert.equal(
    rows.sort(),
    volumes.map((volume) => volume.split(':')[0] ?? ''),
  );
});

test('compose and podman share the same namespaces of the host, which the page lists', () => {
  const [compose, quadlet, page] = [text('compose.yaml'), text('sltv.container'), text('README.md')];
  for (const name of ['pid', 'ipc', 'uts']) {
    assert.match(compose, new RegExp(`^    ${name}: host$`, 'm'));
    assert.match(quadlet, `--${name}=host`);
    assert.match(page, `\`--${name}=host\``);
  }
  assert.match(compose, /^ {4}privileged: true$/m);
  assert.match(quadlet, '--privileged');
});

test.run();
