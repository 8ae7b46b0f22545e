import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'valibot';
import { addressesOf } from '../../../core/api/addresses.ts';
import { CoreOptions } from '../../../core/kernel/config.ts';

const TLS = { tls: { cert: '/c', key: '/k', ca: '/a' } };

test('every TCP listener is told by the address that others reach it at, and no Unix socket is', () => {
  const { listen } = parse(CoreOptions, {
    listen: [
      { unix: '/run/s' },
      { tcp: '10.0.0.5:8443', ...TLS },
      { tcp: '0.0.0.0:08444', ...TLS },
      { tcp: ':8445', ...TLS },
      { tcp: '[::]:8446', ...TLS },
      { tcp: '[fd00::5]:8447', ...TLS },
      { tcp: '127.0.0.1:0', ...TLS },
    ],
  });
  const told = ['10.0.0.5:8443', 'kvm1:8444', 'kvm1:8445', 'kvm1:8446', '[fd00::5]:8447'];
  assert.equal(addressesOf(listen, 'kvm1'), told);
});

test('a host that has Unix sockets only is not reached from others', () => {
  assert.equal(addressesOf(parse(CoreOptions, {}).listen, 'kvm1'), []);
});

test.run();
