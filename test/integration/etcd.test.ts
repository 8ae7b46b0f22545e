// The built executable on a real etcd: what is bundled is all that it needs.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { startEtcd } from '../fixtures/etcd.ts';
import { BUNDLE, EXECUTABLE, IMPORTS, ownDaemon, startDaemon, within } from '../fixtures/executable.ts';

test('the executable’s daemon meets etcd at its first start, with TLS, and needs it at no later one', async () => {
  await using folder = await trustedFolder();
  await using etcd = await startEtcd({ tls: true });
  mkdirSync(join(folder.path, 'disks'));
  const { ca, cert, key } = etcd.certificates ?? {};
  const plugins = `dir({ pools: { d: '${folder.path}/disks' } }), etcdLock({ endpoints: ${JSON.stringify(etcd.endpoints)},
    prefix: '/here/', tls: ${JSON.stringify({ ca, cert, key })} })`;
  {
    await using daemon = await ownDaemon(folder.path, plugins);
    assert.match(await etcd.ctl('get', '/here/meta/cluster'), /[0-9a-f-]{36}/);
    assert.is(await daemon.stop(), 0);
    assert.not.match(daemon.log(), /Warning/);
  }
  await etcd.kill();
  await using daemon = await ownDaemon(folder.path, plugins);
  assert.is(await daemon.stop(), 0);
});

for (const [title, way] of [
  ['the executable', [EXECUTABLE]],
  ['dist/sltv.mjs', [process.execPath, BUNDLE]],
] as const) {
  test(`${title} takes its endpoints from the environment, and says what a first start needs`, async () => {
    await using folder = await trustedFolder();
    const config = join(folder.path, 'sltv.config.ts');
    writeFileSync(
      config,
      `${IMPORTS}export default defineConfig({ ${within(folder.path)}, plugins: [dir(), etcdLock()] });`,
    );
    const env = { SLTV_ETCD_ENDPOINTS: '127.0.0.1:1, http://127.0.0.1:2', SLTV_CLUSTER_ENABLED: 'true' };
    const error = await startDaemon(way, config, env).then(
      () => 'it started',
      (thrown: unknown) => String(thrown),
    );
    assert.match(error, /etcd-lock\/first-start/);
    assert.match(error, /127\.0\.0\.1:1/);
  });
}

test.run();
