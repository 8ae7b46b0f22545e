// The same file on every host of the cluster, as /etc/sltv/sltv.config.ts. A host's name in the cluster is its host name.
import { defineConfig } from 'sltv';
import autoextend from 'sltv/autoextend';
import etcdLock from 'sltv/etcd-lock';
import libvirt from 'sltv/libvirt';
import lvm from 'sltv/lvm';

export default defineConfig({
  listen: [{ unix: '/run/sltv/sltvd.sock', group: 'sltv', role: 'admin' }],
  cluster: {
    // How `sltv node fence host2` turns host2 off. Without it you turn it off, and say so.
    fence: {
      command: ['fence_ipmilan'],
      options: { ip: '{node}-bmc', username: 'sltv', password_script: '/etc/sltv/bmc-password', lanplus: '1' },
      timeout: 60_000,
    },
  },
  plugins: [
    lvm({ vgs: ['vg-shared'] }),
    libvirt(),
    etcdLock({
      endpoints: ['https://host1:2379', 'https://host2:2379', 'https://host3:2379'],
      tls: { ca: '/etc/sltv/tls/ca.pem', cert: '/etc/sltv/tls/host.pem', key: '/etc/sltv/tls/host.key' },
    }),
    autoextend(),
  ],
});
