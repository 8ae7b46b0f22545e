import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { strangerIn } from '../../core/unhandled.ts';

const CORE = join(import.meta.dirname, '../../core');

const stack = (...places: readonly string[]) =>
  ['Error: no moon', ...places.map((place) => `    at ${place}`)].join('\n');

test('inside the executable every file is a plugin’s', () => {
  const thrown = stack(
    'change (sltv:1:200)',
    'Timeout.<anonymous> (file:///etc/sltv/mine.ts:3:9)',
    'node:internal/timers:1:2',
  );
  assert.is(strangerIn(thrown, undefined), 'file:///etc/sltv/mine.ts');
  assert.is(strangerIn(stack('change (sltv:1:200)', 'node:internal/timers:1:2'), undefined), undefined);
});

test('elsewhere the files of the program are its own', () => {
  const ours = stack('change (file:///opt/sltv/sltv.mjs:1:200)');
  assert.is(strangerIn(ours, 'file:///opt/sltv/'), undefined);
  const theirs = `${ours}\n    at file:///opt/sltv-plugins/mine.mjs:7:1`;
  assert.is(strangerIn(theirs, 'file:///opt/sltv/'), 'file:///opt/sltv-plugins/mine.mjs');
});

test('what has no stack is nobody’s', () => {
  assert.is(strangerIn('', undefined), undefined);
});

/** A process that survives what a plugin lets go of, and then does this. */
function survivor(code: string): SpawnSyncReturns<string> {
  const program = `
    import { createBehalf } from '${join(CORE, 'kernel/behalf.ts')}';
    import { createLog } from '${join(CORE, 'log.ts')}';
    import { surviveUnhandled } from '${join(CORE, 'unhandled.ts')}';
    const behalf = createBehalf();
    surviveUnhandled(behalf, createLog({ level: 'info', format: 'json', write: console.log }));
    const fail = () => { throw new Error('no moon'); };
    ${code}
    process.on('exit', (code) => console.log('ended with ' + code));`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', timeout: 20_000 });
}

test('what core throws where nobody catches it is logged, and ends the process with 1', () => {
  const { stdout, status } = survivor('setTimeout(fail, 1);');
  assert.match(stdout, '"message":"an error was thrown where nobody catches it"');
  assert.is(status, 1);
});

for (const [title, code, said] of [
  ['a plugin throws', "behalf.run('mine', () => setTimeout(fail, 1));", 'plugin mine: an error was thrown'],
  ['a plugin drops', "behalf.run('mine', async () => fail());", 'plugin mine: a failure was left unhandled'],
  ['core drops', '(async () => fail())();', '"message":"a failure was left unhandled"'],
] as const) {
  test(`what ${title} ends nothing`, () => {
    const { stdout } = survivor(code);
    assert.match(stdout, said);
    assert.match(stdout, 'ended with 0');
  });
}

test.run();
