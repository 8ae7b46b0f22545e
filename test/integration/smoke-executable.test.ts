import { EXECUTABLE } from '../fixtures/executable.ts';
import { smoke } from './smoke.ts';

smoke({
  name: 'the executable',
  host: [EXECUTABLE],
  client: () => [EXECUTABLE],
  syntaxError: 'c.ts:3: Expression expected',
});
