import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { identifyNode } from '../../core/node.ts';

async function host() {
  const root = await mkdtemp(join(tmpdir(), 'sltv-node-'));
  const stateDir = join(root, 'state');
  return {
    identify: (nodeId?: string) => identifyNode({ nodeId, stateDir, runDir: join(root, 'run') }),
    file: join(stateDir, 'node-id'),
    stateDir,
    runDir: join(root, 'run'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

test('a node is known by its host name, its machine and its boot', async () => {
  await using here = await host();
  const node = await here.identify();
  assert.is(
    node.id,
    hostname()
      .replace(/[^A-Za-z0-9_.-]/g, '-')
      .slice(0, 63),
  );
  assert.is(node.machineId, (await readFile('/etc/machine-id', 'utf8')).trim());
  assert.match(node.bootId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal([node.stateDir, node.runDir], [here.stateDir, here.runDir]);
});

test('the id is fixed at the first start: a host that is renamed keeps it', async () => {
  await using here = await host();
  await here.identify();
  await writeFile(here.file, 'its-old-name\n');
  assert.is((await here.identify()).id, 'its-old-name');
  assert.is(await readFile(here.file, 'utf8'), 'its-old-name\n');
});

test('an id from the config is fixed, and stays when the config no longer says it', async () => {
  await using here = await host();
  assert.is((await here.identify('node-7')).id, 'node-7');
  assert.is((await here.identify()).id, 'node-7');
  assert.is((await here.identify('node-8')).id, 'node-8');
  assert.is(await readFile(here.file, 'utf8'), 'node-8\n');
});

test('a file without an id is as good as none', async () => {
  await using here = await host();
  await here.identify('node-7');
  await writeFile(here.file, '\n');
  assert.is((await here.identify('node-9')).id, 'node-9');
});

test('two lives of one host are one node, with the same boot as long as it runs', async () => {
  await using here = await host();
  assert.equal(await here.identify(), await here.identify());
});

test.run();
