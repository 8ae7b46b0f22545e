import { defineConfig } from 'sltv';
import autoextend from 'sltv/autoextend';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';
import { doubling } from './doubling.ts';

export default defineConfig({
  plugins: [lvm({ vgs: ['vg-guests'] }), libvirt(), localLock(), autoextend({ policy: doubling({ until: '64G' }) })],
});
