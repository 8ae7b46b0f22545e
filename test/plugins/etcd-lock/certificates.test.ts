import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { certificatesOf, earliestEnd } from '../../../plugins/etcd-lock/certificates.ts';
import { makeCertificates } from '../../fixtures/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'sltv-certificates-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const { ca, cert, key } = await makeCertificates(folder);

test('the certificates of the config are told with when they end, thirty days from now', async () => {
  const found = await certificatesOf({ tls: { ca, cert, key } });
  assert.equal(
    found.map(({ use }) => use),
    ['etcd-client', 'etcd-ca'],
  );
  for (const { notAfter } of found) assert.ok(Math.abs(notAfter.getTime() - Date.now() - 30 * 86_400_000) < 3_600_000);
});

test('without TLS there are none, and what is missing or no certificate is left out', async () => {
  assert.equal(await certificatesOf({}), []);
  assert.equal(await certificatesOf({ tls: { ca: key, cert: join(folder, 'gone') } }), []);
  const broken = join(folder, 'broken');
  writeFileSync(broken, readFileSync(cert, 'utf8').replace(/[A-Za-z]{8}/g, 'AAAAAAAA'));
  assert.equal(await certificatesOf({ tls: { ca: broken } }), []);
});

test('of several in one file the one counts that ends first', () => {
  const both = [ca, cert].map((path) => readFileSync(path, 'utf8'));
  const [first, second] = both.map((pem) => earliestEnd(pem)?.getTime() ?? 0);
  assert.is(earliestEnd(both.join('\n'))?.getTime(), Math.min(first ?? 0, second ?? 0));
});

test.run();
