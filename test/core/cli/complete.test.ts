// What Tab offers, with the daemon's recorded answers.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { session } from './session.ts';

/** What the last word becomes; the words are split at blanks, so that a blank at the end begins an empty one. */
async function offered(line: string, options: { readonly isDown?: boolean } = {}): Promise<readonly string[]> {
  await using shell = await session();
  const world = options.isDown ? { env: { SLTV_ADDR: 'unix:///nowhere/sltvd.sock' } } : {};
  const { out, err, code } = await shell.type(['completion', 'words', '--', ...line.split(' ')], world);
  assert.equal([code, err], [0, '']);
  return out === '' ? [] : out.trimEnd().split('\n');
}

for (const [line, expected] of [
  ['di', ['disk']],
  ['hel', ['hello']],
  ['disk cr', ['create']],
  ['disk de', ['delete', 'detach']],
  ['hello g', ['greet']],
  ['hello watch ', ['door']],
  ['disk show w', ['web1']],
  ['disk show vg-f', ['vg-fast/db']],
  ['get-disk d', ['db']],
  ['disk attach db ', ['old', 'web']],
  ['disk attach db web ', []],
  ['disk attach db web --ta', ['--target']],
  ['disk list --pool i', ['images']],
  ['disk list --vg i', ['images']],
  ['disk list --pool=i', ['--pool=images']],
  ['disk list --pool=', ['--pool=images', '--pool=vg-fast']],
  // As bash splits them.
  ['disk list --pool = i', ['images']],
  ['disk list --pool =', ['images', 'vg-fast']],
  ['disk list --nonsense=i', []],
  ['disk create a --thin --th', ['--thick']],
  ['pool show v', ['vg-fast']],
  ['node fence kvm2 --y', ['--yes']],
  ['--json disk show w', ['web1']],
  ['disk --timeout 5s show w', ['web1']],
  ['--config ', []],
  ['operation cancel ', ['r-17']],
  ['operation watch ', ['r-17']],
  ['hello greet world --tone ', ['cold', 'warm']],
  ['completion script ', ['bash', 'fish', 'zsh']],
  ['disk show -- w', ['web1']],
  ['nonsense ', []],
  ['disk nonsense ', []],
  ['disk list --nonsense w', []],
] as const) {
  test(`sltv ${line}<Tab> offers ${expected.join(', ') || 'nothing'}`, async () => {
    assert.equal(await offered(line), expected);
  });
}

test('the first word is a noun, the second its verb', async () => {
  const nouns = await offered('');
  for (const noun of ['disk', 'pool', 'vm', 'status', 'hello', 'completion']) assert.ok(nouns.includes(noun), noun);
  assert.equal(await offered('config '), ['check', 'show']);
});

test('without a daemon there are core’s own words, and no names', async () => {
  assert.equal(await offered('disk sh', { isDown: true }), ['show']);
  assert.equal(await offered('disk show w', { isDown: true }), []);
  assert.equal(await offered('hel', { isDown: true }), []);
});

test('bash offers what sltv says, and takes names with blanks in its stride', async () => {
  await using shell = await session();
  const { out: script } = await shell.type('completion script bash');
  const folder = mkdtempSync(join(tmpdir(), 'sltv-complete-'));
  try {
    // In place of sltv: says what it was called with, and offers two words.
    writeFileSync(join(folder, 'sltv'), `#!/bin/sh\nprintf '%s|' "$@" >&2\nprintf 'web1\\nweb 2\\n'\n`);
    chmodSync(join(folder, 'sltv'), 0o755);
    const typed = `${script.replace('2>/dev/null', '')}\nCOMP_WORDS=(sltv disk show 'w e' later); COMP_CWORD=3; _sltv
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', typed], {
      encoding: 'utf8',
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    assert.is(stderr, 'completion|words|--|disk|show|w e|');
    assert.is(stdout, 'web1\nweb 2\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
