// Certificates that are renewed under a running daemon, in every way that people and programs renew them.
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openIdentity } from '../../../core/api/identity.ts';
import { createLog } from '../../../core/log.ts';
import { type Authority, type Issued, makeAuthority } from '../../fixtures/certificates.ts';
import { startTrial, type Trial } from './trial.ts';

interface Made {
  readonly folder: string;
  readonly authority: Authority;
  readonly other: Authority;
  readonly first: Issued;
  readonly second: Issued;
  readonly client: Issued;
}

const test = suite<Made>('certificates in use');
test.before(async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sltv-identity-'));
  const [authority, other] = await Promise.all([makeAuthority(folder, 'ca'), makeAuthority(folder, 'other-ca')]);
  const [first, second, client] = await Promise.all([
    authority.issue('first'),
    authority.issue('second'),
    authority.issue('client', { usage: 'clientAuth' }),
  ]);
  Object.assign(context, { folder, authority, other, first, second, client });
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

/** A place in which a daemon's files are, the first ones for now. */
function place({ folder, first, authority }: Made) {
  const at = mkdtempSync(join(folder, 'place-'));
  const paths = { cert: join(at, 'cert.pem'), key: join(at, 'key.pem'), ca: join(at, 'ca.pem') };
  copyFileSync(first.cert, paths.cert);
  copyFileSync(first.key, paths.key);
  copyFileSync(authority.ca, paths.ca);
  return paths;
}

/** As who writes beside it and renames. */
function replace(path: string, by: string): void {
  copyFileSync(by, `${path}.new`);
  renameSync(`${path}.new`, path);
}

/** Whose certificate a new connection is shown, and whether this client's is taken. */
function shown(trial: Trial, { authority, client }: Made): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port: trial.ports[0],
      ca: readFileSync(authority.ca),
      cert: readFileSync(client.cert),
      key: readFileSync(client.key),
    });
    let said = '';
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const name = String(socket.getPeerCertificate().subject.CN);
      socket.on('data', (part) => {
        said += part;
      });
      socket.once('close', () => resolve(`${name} ${said.split(' ')[1]}`));
      socket.write('GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    });
  });
}

const said = ({ lines }: Trial, what: string) => lines.filter(({ message }) => String(message).includes(what));

test('a pair that is renamed into place, one after the other, holds from then on', async (made) => {
  const tls = place(made);
  await using trial = await startTrial({ tcp: [{ tls }] });
  assert.is(await shown(trial, made), 'first 404');
  replace(tls.key, made.second.key);
  assert.is(await shown(trial, made), 'first 404');
  assert.match(String(said(trial, 'can not be used')[0]?.because), 'is not that of the certificate');
  replace(tls.cert, made.second.cert);
  assert.is(await shown(trial, made), 'second 404');
  assert.is(said(trial, 'new certificates hold').length, 1);
});

test('a pair that is written in place holds, too', async (made) => {
  const tls = place(made);
  await using trial = await startTrial({ tcp: [{ tls }] });
  writeFileSync(tls.cert, readFileSync(made.second.cert));
  writeFileSync(tls.key, readFileSync(made.second.key));
  assert.is(await shown(trial, made), 'second 404');
});

test('a folder that is exchanged by its link, as a certificate manager does, is seen', async (made) => {
  const at = mkdtempSync(join(made.folder, 'live-'));
  for (const [name, issued] of [
    ['1', made.first],
    ['2', made.second],
  ] as const) {
    mkdirSync(join(at, name));
    copyFileSync(issued.cert, join(at, name, 'cert.pem'));
    copyFileSync(issued.key, join(at, name, 'key.pem'));
  }
  symlinkSync('1', join(at, 'now'));
  const tls = { cert: join(at, 'now/cert.pem'), key: join(at, 'now/key.pem'), ca: made.authority.ca };
  await using trial = await startTrial({ tcp: [{ tls }] });
  assert.is(await shown(trial, made), 'first 404');
  symlinkSync('2', join(at, 'next'));
  renameSync(join(at, 'next'), join(at, 'now'));
  assert.is(await shown(trial, made), 'second 404');
});

for (const [title, break_] of [
  ['is gone', (path: string) => unlinkSync(path)],
  ['is empty', (path: string) => writeFileSync(path, '')],
  ['is cut short', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 200))],
] as const) {
  for (const kind of ['cert', 'key', 'ca'] as const) {
    test(`when the new ${kind} ${title} the old files hold, and log and status say so once`, async (made) => {
      const tls = place(made);
      await using trial = await startTrial({ tcp: [{ tls }] });
      break_(tls[kind]);
      for (let times = 0; times < 3; times++) assert.is(await shown(trial, made), 'first 404');
      assert.is(said(trial, 'can not be used').length, 1);
      assert.match(String(said(trial, 'can not be used')[0]?.because), tls[kind]);
      const { remarks } = await trial.client().sltv.getNodeStatus();
      assert.is(remarks.length, 1);
      assert.match(remarks[0] ?? '', 'as they were before still hold');
      // Mended, it is as if nothing had been.
      replace(tls.cert, made.second.cert);
      replace(tls.key, made.second.key);
      replace(tls.ca, made.authority.ca);
      assert.is(await shown(trial, made), 'second 404');
      assert.equal((await trial.client().sltv.getNodeStatus()).remarks, []);
    });
  }
}

test('a new key that everybody can read is not used until it is guarded', async (made) => {
  const tls = place(made);
  await using trial = await startTrial({ tcp: [{ tls }] });
  copyFileSync(made.second.key, `${tls.key}.new`);
  chmodSync(`${tls.key}.new`, 0o644);
  renameSync(`${tls.key}.new`, tls.key);
  replace(tls.cert, made.second.cert);
  assert.is(await shown(trial, made), 'first 404');
  assert.match(String(said(trial, 'can not be used')[0]?.because), 'can be read by everybody');
  chmodSync(tls.key, 0o600);
  assert.is(await shown(trial, made), 'second 404');
});

test('an authority that is exchanged decides about those who come from then on', async (made) => {
  const tls = place(made);
  await using trial = await startTrial({ tcp: [{ tls }] });
  assert.is(await shown(trial, made), 'first 404');
  replace(tls.ca, made.other.ca);
  assert.is(await shown(trial, made), 'first 403');
  // Both at once, as while clients change over.
  writeFileSync(tls.ca, `${readFileSync(made.other.ca, 'utf8')}${readFileSync(made.authority.ca, 'utf8')}`);
  assert.is(await shown(trial, made), 'first 404');
});

for (const [title, days, remark] of [
  ['has ended', [-3, -1], /^the daemon's certificate \S+ ended on .*: clients refuse it$/],
  ['has not begun', [1, 30], /begins only on .*clock/],
  ['ends soon', [-1, 5], /ends on .*: put a new one into its place$/],
] as const) {
  test(`a certificate that ${title} is spoken of, and does not keep the daemon from starting`, async (made) => {
    const issued = await made.authority.issue(title.replaceAll(' ', '-'), { days });
    const lines: Record<string, unknown>[] = [];
    const log = createLog({ level: 'warn', format: 'json', write: (line) => void lines.push(JSON.parse(line)) });
    const identity = openIdentity(issued, log);
    assert.is(identity.remarks().length, 1);
    assert.match(identity.remarks()[0] ?? '', remark);
    assert.equal(
      lines.map(({ message }) => message),
      identity.remarks(),
    );
  });
}

test.run();
