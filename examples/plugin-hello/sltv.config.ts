import { defineConfig } from 'sltv';
import dir from 'sltv/dir';
import hello from './hello.ts';

export default defineConfig({
  plugins: [dir(), hello({ prefix: 'team-' })],
});
