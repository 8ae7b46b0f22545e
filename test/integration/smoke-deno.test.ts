import { denoClient, denoDaemon } from '../fixtures/deno.ts';
import { smoke } from './smoke.ts';

smoke({
  name: 'dist/sltv.mjs under Deno',
  host: denoDaemon(),
  client: denoClient,
  syntaxError: 'c.ts: Syntax error\nhint: deno check',
});
