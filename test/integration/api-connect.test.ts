// Connect's own client, over every protocol that a listener speaks.
import { type DescMessage, type DescMethodUnary, fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorInfoSchema } from '../../core/api/gen/sltv/v1/errors_pb.ts';
import { PluginService } from '../../core/api/gen/sltv/v1/plugin_pb.ts';
import { PoolService } from '../../core/api/gen/sltv/v1/pool_pb.ts';
import { Sltv } from '../../core/api/gen/sltv/v1/sltv_pb.ts';
import { VmService } from '../../core/api/gen/sltv/v1/vm_pb.ts';
import { type Player, playEverything } from '../core/api/scenario.ts';
import { startTrial } from '../core/api/trial.ts';
import { TRANSPORTS } from '../fixtures/transports.ts';

function player(transport: Transport): Player {
  return {
    async call(name, request) {
      // All methods of this service are unary.
      const method = Sltv.methods.find((each) => each.name === name) as DescMethodUnary | undefined;
      if (!method) throw new Error(`there is no method ${name}`);
      // The story's requests are plain JSON objects.
      const message = fromJson<DescMessage>(method.input, request as JsonValue);
      const answer = await transport.unary(method, undefined, undefined, undefined, message);
      return toJson(method.output, answer.message, { alwaysEmitImplicit: true });
    },
    codeOf: (error) => (error instanceof ConnectError ? error.code : -1),
  };
}

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  const test = suite(name);

  test('everything of the fixed service', async () => {
    await using trial = await startTrial();
    await playEverything(player(transport(trial.path)));
  });

  test('the other services', async () => {
    await using trial = await startTrial();
    const over = transport(trial.path);
    const pools = createClient(PoolService, over);
    assert.equal(
      (await pools.listPools({})).pools.map((pool) => pool.name),
      ['mem', 'other'],
    );
    assert.is((await pools.getPool({ name: 'mem' })).pool?.kind, 'memory');
    const made = await pools.createPool({ name: 'new', kind: 'memory', devices: ['/dev/x'] });
    assert.equal(made.pool?.devices, ['memory', '/dev/x']);
    assert.equal((await pools.extendPool({ name: 'mem', devices: ['/dev/y'] })).pool?.devices, ['memory', '/dev/y']);
    const { vms } = await createClient(VmService, over).listVms({});
    assert.equal(
      vms.map(({ name, state }) => [name, state]),
      [
        ['web', 'running'],
        ['db', 'off'],
      ],
    );
    const resized = createClient(Sltv, over);
    await resized.createDisk({ name: 'thin', mode: 2, virtualSizeBytes: 2n ** 30n });
    assert.is((await resized.resizeDisk({ name: 'thin', virtualSizeBytes: 2n ** 31n })).virtualSizeBytes, 2n ** 31n);
    const plugins = createClient(PluginService, over);
    assert.ok((await plugins.list({})).plugins.some((plugin) => plugin.name === 'trial'));
    const { results } = await plugins.call({ words: 'trial echo', input: { size: '1G' } });
    assert.equal(results, [{ size: '1073741824', loud: true }]);
    const counted: unknown[] = [];
    for await (const { result } of plugins.watch({ words: 'trial count', input: { to: 2 } })) counted.push(result);
    assert.equal(counted, [{ number: 1 }, { number: 2 }]);
  });

  test('an error has its code and hint as a detail', async () => {
    await using trial = await startTrial();
    const client = createClient(Sltv, transport(trial.path));
    const error = await client.getDisk({ name: 'none' }).catch((reason) => reason);
    assert.is(error.rawMessage, 'there is no disk none');
    const [info] = error.findDetails(ErrorInfoSchema);
    assert.is(info?.code, 'core/disk-missing');
    assert.ok(info?.hint);
  });

  test('a deadline cancels the call in the daemon', async () => {
    await using trial = await startTrial();
    const plugins = createClient(PluginService, transport(trial.path));
    const error = await plugins.call({ words: 'trial wait' }, { timeoutMs: 50 }).catch((reason) => reason);
    assert.is(error.code, 4);
    await trial.until(() => trial.finished.length === 1);
    assert.is(trial.seen[0]?.signal.aborted, true);
  });

  test('a client that goes away cancels its call in the daemon', async () => {
    await using trial = await startTrial();
    const plugins = createClient(PluginService, transport(trial.path));
    const leaving = new AbortController();
    const answer = plugins.call({ words: 'trial wait' }, { signal: leaving.signal }).catch((reason) => reason);
    await trial.until(() => trial.seen.length === 1);
    leaving.abort();
    assert.is((await answer).code, 1);
    await trial.until(() => trial.finished.length === 1);
    assert.is(trial.finished[0]?.result, 'core/cancelled');
  });

  test.run();
}
