import { defineConfig } from 'sltv';
import libvirt from 'sltv/libvirt';
import lvm from 'sltv/lvm';
import lockFile from './lock-file.ts';

export default defineConfig({
  plugins: [lvm({ vgs: ['vg-guests'] }), libvirt(), lockFile({ folder: '/var/lib/sltv-locks' })],
});
