import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_ADDRESS, parseAddress } from '../../../core/client/address.ts';
import { DEFAULT_SOCKET } from '../../../core/kernel/config.ts';

for (const [address, target] of [
  ['unix:///run/sltv/sltvd.sock', { socketPath: '/run/sltv/sltvd.sock' }],
  ['unix:/run/sltv/sltvd.sock', { socketPath: '/run/sltv/sltvd.sock' }],
  ['/run/sltv/sltvd.sock', { socketPath: '/run/sltv/sltvd.sock' }],
  ['kvm1:8443', { host: 'kvm1', port: 8443, isSecure: true }],
  ['10.0.0.5:443', { host: '10.0.0.5', port: 443, isSecure: true }],
  ['[::1]:8443', { host: '::1', port: 8443, isSecure: true }],
  ['https://kvm1.example:8443', { host: 'kvm1.example', port: 8443, isSecure: true }],
  ['https://kvm1/', { host: 'kvm1', port: 443, isSecure: true }],
  ['http://127.0.0.1:7000', { host: '127.0.0.1', port: 7000, isSecure: false }],
  ['http://[::1]:7000', { host: '::1', port: 7000, isSecure: false }],
  ['http://localhost', { host: 'localhost', port: 80, isSecure: false }],
] as const) {
  test(`${address} is an address`, () => assert.equal(parseAddress(address), target));
}

for (const address of [
  '',
  'unix://',
  'unix://run/sltv.sock',
  'sltvd.sock',
  'kvm1',
  'kvm1:',
  'kvm1:99999',
  ':8443',
  'unix:8443',
  '::1:8443',
  'root@kvm1:8443',
  'https://root@kvm1:8443',
  'https://kvm1:8443/sltv',
  'tcp://kvm1:8443',
  `/${'x'.repeat(107)}`,
]) {
  test(`'${address.slice(0, 20)}' is none, and the error shows one`, () => {
    assert.throws(
      () => parseAddress(address),
      (error: { code: string }) => error.code === 'core/input',
    );
  });
}

test("without an address the daemon's default socket is meant", () => {
  assert.is(DEFAULT_ADDRESS, `unix://${DEFAULT_SOCKET}`);
});

test.run();
