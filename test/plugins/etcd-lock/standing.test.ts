// The store is judged by what was known of it when it was asked.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createLog } from '../../../core/log.ts';
import { keysUnder } from '../../../plugins/etcd-lock/keys.ts';
import type { Kv } from '../../../plugins/etcd-lock/kv.ts';
import { lookWith } from '../../../plugins/etcd-lock/standing.ts';
import { openMemory } from '../../../plugins/etcd-lock/state-file.ts';
import { createMemoryStore } from '../../fixtures/memory-kv.ts';

const self = { node: 'n1', boot: 'b1', machineId: 'm1', instance: 'i1', pid: 1, started: '1' };

test('an answer that another call has overtaken is not taken for a store that forgot', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'sltv-standing-'));
  try {
    const memory = await openMemory(stateDir, () => true);
    const client = createMemoryStore().open();
    let overtake = async () => {};
    const kv: Kv = {
      ...client,
      async txn(txn) {
        const answer = await client.txn(txn);
        await overtake();
        return answer;
      },
    };
    const said: string[] = [];
    const log = createLog({ level: 'debug', format: 'text', write: (line) => said.push(line) });
    const look = lookWith({ ...{ kv, self, memory, log }, keys: keysUnder('/sltv/') });
    await look();
    overtake = async () => {
      const put = { key: '/sltv/another', value: '1' };
      memory.saw((await client.txn({ when: [], act: [{ put }], otherwise: [] })).revision);
    };
    assert.is((await look()).halted, undefined);
    assert.equal(said, []);
    await memory.save();
  } finally {
    await rm(stateDir, { recursive: true });
  }
});

test.run();
