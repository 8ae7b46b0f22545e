// What this host's sltv is made of, and how it is set. An editor completes and checks it; all options stand in
// docs/configuration.md. After a change: sltv config check && systemctl restart sltv
import { defineConfig } from 'sltv';
import autoextend from 'sltv/autoextend';
import dir from 'sltv/dir';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';

export default defineConfig({
  // Sockets, each with what its callers may do: a viewer looks, an operator works with disks, an admin also with pools.
  // listen: [
  //   { unix: '/run/sltv/sltvd.sock', role: 'admin' },
  //   { unix: '/run/sltv/operators.sock', group: 'libvirt', role: 'operator' },
  // ],

  // Where disks go that name no pool; else into the first pool of the first storage below.
  // defaultPool: 'vg-sltv',

  // What new disks leave free in a pool that has thin disks, so that those can grow.
  // reserve: '5%',

  // How many times its size a pool may promise to its guests; else any.
  // overcommit: 3,

  plugins: [
    // Volume Groups; each is a pool.
    lvm({ vgs: ['vg-sltv'] }),

    // Directories as pools, /var/lib/sltv/disks where none is named.
    dir(/* { pools: { images: '/srv/images' } } */),

    // The VMs of this host.
    libvirt({ uri: 'qemu:///system' }),

    // Locks for a host that shares its storage with nobody; hosts that share take sltv/etcd-lock.
    localLock(),

    // Thin disks grow before their guests can fill them.
    autoextend(),

    // A plugin of yours: a file (import mine from './mine.ts') or a package in node_modules (import mine from 'mine').
    // mine({ loud: true }),
  ],
});
