// What holds on a host without /etc/sltv/sltv.config.ts: whatever of this the host has.
import { defineConfig } from 'sltv';
import autoextend from 'sltv/autoextend';
import dir from 'sltv/dir';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';

export default defineConfig({
  plugins: [lvm({ vgs: ['vg-sltv'] }), dir(), libvirt({ uri: 'qemu:///system' }), localLock(), autoextend()],
});
