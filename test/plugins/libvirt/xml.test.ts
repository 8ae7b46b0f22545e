import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadXml } from '../../../plugins/libvirt/xml.ts';
import { recorded, uuid, WEB } from '../../fixtures/virsh/recorded.ts';

const xml = await loadXml();
const domains = (file: string) =>
  [...recorded(file).matchAll(/^<domain [\s\S]*?^<\/domain>$/gm)].map(([text]) => xml.domain(text));

test('a running domain has its disks with their aliases', () => {
  const [live] = domains('look-running.txt');
  assert.equal(live, {
    uuid: WEB,
    name: 'web',
    isLive: true,
    disks: [
      { target: 'vda', path: '/dev/vg0/web', format: 'qcow2', readOnly: false, alias: 'virtio-disk0' },
      { target: 'vdb', path: '/dev/vg0/two', format: 'raw', readOnly: false, alias: 'virtio-disk1' },
    ],
  });
});

test('a definition has its disks without aliases', () => {
  const [, next] = domains('look-running.txt');
  assert.is(next?.isLive, false);
  assert.equal(
    next?.disks.map(({ target, path, alias }) => [target, path, alias]),
    [
      ['vda', '/dev/vg0/web', undefined],
      ['vdb', '/dev/vg0/two', undefined],
      ['vdc', '/dev/vg0/four', undefined],
    ],
  );
});

test('an empty drive and a network disk have no path', () => {
  const [media] = domains('look-off.txt');
  assert.is(media?.uuid, uuid(5));
  assert.equal(
    media?.disks.filter(({ path }) => path === undefined).map(({ target, readOnly }) => [target, readOnly]),
    [
      ['hda', true],
      ['vdn', false],
    ],
  );
});

test('names and paths are text, whatever they look like', () => {
  const text = `<domain type='qemu'><name> 007&amp;&lt;</name><uuid>${WEB}</uuid><devices><disk type='file'>
    <source file='/a b/&apos;1e3&quot;'/><target dev='vda'/></disk></devices></domain>`;
  const { name, disks } = xml.domain(text);
  assert.is(name, ' 007&<');
  assert.is(disks[0]?.path, `/a b/'1e3"`);
});

for (const [what, text] of [
  [
    'a domain without disks',
    `<domain><name>a</name><uuid>${WEB}</uuid><devices><emulator>/q</emulator></devices></domain>`,
  ],
  ['a domain without devices', `<domain><name>a</name><uuid>${WEB}</uuid><devices/></domain>`],
] as const) {
  test(`${what} has none`, () => assert.equal(xml.domain(text).disks, []));
}

for (const text of ['', 'gibberish', '<domain/>', '<domain><name>a</name><uuid>1</uuid></domain>']) {
  test(`no VM is made of ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => xml.domain(text),
      (error: { code?: string }) => error.code === 'libvirt/bad-answer',
    );
  });
}

test('a new disk is written with what it is, and stops the guest only when it is full', () => {
  const text = xml.disk({
    path: `/dev/vg/a&'"<`,
    source: 'block',
    format: 'qcow2',
    target: 'vdb',
    readOnly: true,
    serial: 'abc-1',
  });
  assert.is(
    text,
    `<disk type="block" device="disk">` +
      `<driver name="qemu" type="qcow2" cache="none" io="native" error_policy="enospace"/>` +
      `<source dev="/dev/vg/a&amp;&apos;&quot;&lt;"/><target dev="vdb" bus="virtio"/>` +
      `<serial>abc-1</serial><readonly/></disk>`,
  );
});

test('a file is a file, and its I/O does not block the guest', () => {
  const text = xml.disk({ path: '/d/a.raw', source: 'file', format: 'raw', target: 'vdb', readOnly: false });
  assert.match(text, `<disk type="file"`);
  assert.match(text, `<source file="/d/a.raw"/>`);
  assert.match(text, `io="threads"`);
  assert.not.match(text, 'readonly');
  assert.not.match(text, 'serial');
});

test.run();
