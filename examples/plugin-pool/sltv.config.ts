import { defineConfig } from 'sltv';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import folderPool from './folder-pool.ts';

export default defineConfig({
  plugins: [folderPool({ name: 'mine', folder: '/srv/disks', capacity: 100 }), libvirt(), localLock()],
});
