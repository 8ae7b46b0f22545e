// All that the fixed service can do, in one story that any client can play: requests and answers as plain JSON objects.
import * as assert from 'uvu/assert';

/** Calls a method; 64-bit numbers are strings, enums are names. What it throws, `codeOf` turns into gRPC's number. */
export interface Player {
  // Each client has types of its own; the story says which fields it expects.
  // biome-ignore lint/suspicious/noExplicitAny: the story looks into it.
  call(method: string, request: object): Promise<any>;
  codeOf(error: unknown): number;
}

const MiB = 1024 ** 2;

export async function playEverything({ call, codeOf }: Player): Promise<void> {
  const refused = async (method: string, request: object): Promise<number> => {
    const outcome = await call(method, request).then(
      () => undefined,
      (error) => ({ error }),
    );
    if (outcome === undefined) throw new Error(`${method} ${JSON.stringify(request)} should have been refused`);
    return codeOf(outcome.error);
  };

  const status = await call('GetNodeStatus', {});
  assert.is(status.nodeId, 'n1');
  assert.is(status.version, '1.2.3');
  assert.is(status.vgs[0].name, 'mem');
  assert.is(status.vgs[0].sizeBytes, status.vgs[0].freeBytes);

  const thick = await call('CreateDisk', { name: 'data', sizeBytes: String(8 * MiB) });
  assert.is(thick.vg, 'mem');
  assert.is(thick.mode, 'PROVISION_MODE_THICK');
  assert.is(thick.sizeBytes, String(8 * MiB));
  assert.is(thick.virtualSizeBytes, thick.sizeBytes);
  assert.ok(thick.devicePath.endsWith('/mem/data'));
  assert.ok(thick.createdAt);
  assert.not(thick.lastExtendedAt);

  const thin = await call('CreateDisk', {
    name: 'root',
    vg: 'other',
    mode: 'PROVISION_MODE_THIN',
    virtualSizeBytes: String(1024 * MiB),
  });
  assert.is(thin.vg, 'other');
  assert.is(thin.mode, 'PROVISION_MODE_THIN');
  assert.is(thin.sizeBytes, String(64 * MiB));
  assert.is(thin.virtualSizeBytes, String(1024 * MiB));

  const names = async (request: object) =>
    (await call('ListDisks', request)).disks.map(({ name }: { name: string }) => name);
  assert.equal((await names({})).toSorted(), ['data', 'root']);
  assert.equal(await names({ vg: 'other' }), ['root']);
  assert.is((await call('GetDisk', { name: 'other/root' })).name, 'root');

  const extended = await call('ExtendDisk', { name: 'data', deltaBytes: String(8 * MiB) });
  assert.is(extended.sizeBytes, String(16 * MiB));
  assert.ok(extended.lastExtendedAt);
  const grown = await call('ExtendDisk', { name: 'root', sizeBytes: String(128 * MiB) });
  assert.is(grown.sizeBytes, String(128 * MiB));
  assert.is(grown.virtualSizeBytes, String(1024 * MiB), 'extending a thin disk leaves what its guest sees');

  const attachment = await call('AttachDisk', { diskName: 'data', vmName: 'web', targetDev: 'vdc' });
  assert.equal(
    [attachment.diskName, attachment.vmName, attachment.host, attachment.targetDev],
    ['data', 'web', 'n1', 'vdc'],
  );
  assert.ok(attachment.attachedAt);
  const attached = async (request: object) => (await call('ListAttachments', request)).attachments.length;
  assert.is(await attached({}), 1);
  assert.is(await attached({ diskName: 'data', vmName: 'web' }), 1);
  assert.is(await attached({ vmName: 'db' }), 0);

  const cluster = await call('GetClusterStatus', {});
  assert.is(cluster.enabled, false);
  assert.is(cluster.nodes.length, 1);
  assert.equal([cluster.diskCount, cluster.attachmentCount], [2, 1]);

  assert.is(await refused('CreateDisk', { name: 'data', sizeBytes: String(8 * MiB) }), 6, 'ALREADY_EXISTS');
  assert.is(await refused('GetDisk', { name: 'none' }), 5, 'NOT_FOUND');
  assert.is(await refused('CreateDisk', { name: 'x', vg: 'none', sizeBytes: '1' }), 5, 'NOT_FOUND: pool');
  assert.is(await refused('AttachDisk', { diskName: 'root', vmName: 'none' }), 5, 'NOT_FOUND: VM');
  assert.is(await refused('DetachDisk', { diskName: 'root', vmName: 'web' }), 5, 'NOT_FOUND: attachment');
  const both = { name: 'data', sizeBytes: String(32 * MiB), deltaBytes: String(MiB) };
  assert.is(await refused('ExtendDisk', both), 3, 'INVALID_ARGUMENT: both');
  assert.is(await refused('ExtendDisk', { name: 'data' }), 3, 'INVALID_ARGUMENT: neither');
  assert.is(await refused('CreateDisk', { name: 'x', mode: 'PROVISION_MODE_THIN' }), 3, 'INVALID_ARGUMENT: thin');
  assert.is(await refused('CreateDisk', { name: '-x', sizeBytes: String(MiB) }), 3, 'INVALID_ARGUMENT: name');
  assert.is(await refused('CreateDisk', { sizeBytes: String(MiB) }), 3, 'INVALID_ARGUMENT: no name');
  assert.is(await refused('DeleteDisk', { name: 'data' }), 9, 'FAILED_PRECONDITION');
  assert.is(await refused('CreateDisk', { name: 'x', sizeBytes: String(2 ** 40) }), 8, 'RESOURCE_EXHAUSTED');

  await call('DetachDisk', { diskName: 'data', vmName: 'web' });
  assert.is(await attached({}), 0);
  await call('AttachDisk', { diskName: 'data', vmName: 'web' });
  await call('DeleteDisk', { name: 'data', force: true });
  await call('DeleteDisk', { name: 'root' });
  assert.equal(await names({}), []);
}
