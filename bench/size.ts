// The executable's size: it is copied to every host.
import { statSync } from 'node:fs';
import { EXECUTABLE, report } from './measure.ts';

report('size', [{ what: 'dist/sltv', value: statSync(EXECUTABLE).size / 1e6, unit: 'MB', goal: 130 }]);
