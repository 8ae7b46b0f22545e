import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_ADDRESS, parseAddress } from '../../../core/client/address.ts';
import { DEFAULT_SOCKET } from '../../../core/kernel/config.ts';

for (const [address, target] of [
  ['unix:///run/sltv/sltvd.sock', { socketPath: '/run/sltv/sltvd.sock' }],
  ['unix:/run/sltv/sltvd.sock', { socketPath: '/run/sltv/sltvd.sock' }],
  ['/run/sltv/sltvd.sock', { socketPath: '/run/sltv/sltvd.sock' }],
  ['http://127.0.0.1:7000', { host: '127.0.0.1', port: 7000 }],
  ['http://[::1]:7000', { host: '::1', port: 7000 }],
  ['http://localhost', { host: 'localhost', port: 80 }],
] as const) {
  test(`${address} is an address`, () => assert.equal(parseAddress(address), target));
}

for (const address of ['', 'unix://', 'unix://run/sltv.sock', 'sltvd.sock', 'https://x', `/${'x'.repeat(107)}`]) {
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
