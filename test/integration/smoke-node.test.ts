import { BUNDLE } from '../fixtures/executable.ts';
import { smoke } from './smoke.ts';

smoke({
  name: 'dist/sltv.mjs under Node',
  host: [process.execPath, BUNDLE],
  client: () => [process.execPath, BUNDLE],
  syntaxError: 'c.ts:3: Expression expected',
});
