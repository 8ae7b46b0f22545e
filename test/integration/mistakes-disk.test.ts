// Every mistake with disks, pools and VMs that a daemon has to answer, typed at a shell beside a daemon with directory pools.
// What LVM and a libvirt with running guests say is in test/e2e/mistakes.test.ts.
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { type OwnDaemon, ownDaemon, type } from '../fixtures/executable.ts';
import { judge, type Mistake } from '../fixtures/mistake.ts';

let daemon: OwnDaemon;
let folder: string;
const life = new AsyncDisposableStack();

test.before(async () => {
  folder = life.use(await trustedFolder()).path;
  for (const pool of ['main', 'more', 'theirs/.sltv']) mkdirSync(join(folder, pool), { recursive: true });
  writeFileSync(join(folder, 'theirs/.sltv/pool'), '{ "format": 1, "lock": "local/ffffffffffffffffffffffffffffffff" }');
  const pools = ['main', 'more', 'theirs', 'gone'].map((name) => `${name}: '${join(folder, name)}'`).join(', ');
  daemon = life.use(await ownDaemon(folder, `dir({ pools: { ${pools} } }), libvirt({ uri: 'test:///default' })`));
  for (const words of [
    'thick --size 8M',
    'thin --thin --virtual-size 1G',
    'twin --size 1M',
    'twin --size 1M --pool more',
    'newer --size 1M',
    'broken --size 1M',
    'lost --size 1M',
  ]) {
    const made = await type(`sltv disk create ${words}`, daemon.env);
    assert.is(made.code, 0, made.stderr);
  }
  const side = (name: string) => join(folder, 'main/.sltv', `${name}.json`);
  writeFileSync(side('newer'), readFileSync(side('newer'), 'utf8').replace('"format": 1', '"format": 2'));
  writeFileSync(side('broken'), 'garbage');
  rmSync(join(folder, 'main/lost'));
  writeFileSync(join(folder, 'main/byhand'), 'precious');
});

test.after(() => life.disposeAsync());

/** Every file of every pool: kind, size, times, content. */
function state(): readonly string[] {
  return ['main', 'more', 'theirs'].flatMap((pool) =>
    readdirSync(join(folder, pool), { recursive: true, encoding: 'utf8' })
      .sort()
      .map((name) => {
        const path = join(folder, pool, name);
        const { mode, size, mtimeMs } = lstatSync(path);
        const isFile = lstatSync(path).isFile();
        const content = isFile ? createHash('sha1').update(readFileSync(path)).digest('hex') : '';
        return [path, mode, isFile ? size : '', isFile ? mtimeMs : '', content].join(' ');
      }),
  );
}

type Case = readonly [typed: string, says: string | RegExp, hint: string | RegExp];
const CASES: Readonly<Record<string, readonly [Mistake['kind'], readonly Case[]]>> = {
  'core/bad-name': [
    'invalid',
    [
      [
        'disk create a/b --size 1M',
        `'a/b' can't be a disk's name: it has "/" in it`,
        'give the pool apart: b --pool a',
      ],
      ['disk create a/b/c --size 1M', `it has "/" in it`, 'letters, digits and _ . -'],
      [
        'disk create --size 1M -- -x',
        "'-x' can't be a disk's name: it must begin with a letter or a digit",
        'such as web01-data',
      ],
      ['disk create a.1 --size 1M', "'a.1' can't be a disk's name: a dot and digits at the end", 'such as web01-data'],
      [`disk create ${'a'.repeat(200)} --size 1M`, 'it has 200 characters, 63 are the most', 'at most 63'],
      ["disk create 'a b' --size 1M", 'it has " " in it', 'such as web01-data'],
      ['disk create ärger --size 1M', "'ärger' can't be a disk's name", 'such as web01-data'],
      ['disk create .. --size 1M', "'..' can't be a disk's name", 'such as web01-data'],
      ['disk show /thick', "'/thick' names no disk", 'a disk is NAME or POOL/NAME'],
      ['disk delete main/', "'main/' names no disk", 'sltv disk list'],
    ],
  ],
  'core/bad-size': [
    'invalid',
    [
      ['disk create a --size 0', '--size is 0', '10G'],
      ['disk create a --size 0.0G', '--size is 0', '10G'],
      ['disk create a --size -1G', "'-1G' is negative", '10G'],
      ['disk create a --size NaN', "'NaN' is not a size", '10G'],
      ['disk create a --size Infinity', "'Infinity' is not a size", '10G'],
      ['disk create a --size 10E', "'10E' is more than any volume can have", 'the largest unit is T'],
      ['disk create a --size 9999999999T', 'is more than any volume can have', '10G'],
      ['disk create a --size 10', '--size is 10 B: was its unit left out?', '10G'],
      ['disk create a --size 1,5G', "'1,5G' is not a size", '1.5T'],
      ['disk create a --size 10Gi0', "'10Gi0' is not a size", '10G'],
      ['disk create a --size ten', "'ten' is not a size", '10G'],
      [
        'disk create a --thin --virtual-size 1G --size 2G',
        'the initial size 2 GiB is above the virtual size 1 GiB',
        'leave --size out',
      ],
      ['disk extend thick --delta 0', '--delta is 0', '10G'],
      ['disk extend thick --delta -1M', "'-1M' is negative, and nothing ever shrinks", '10G'],
      ['disk resize thin --virtual-size 0', '--virtual-size is 0', '10G'],
    ],
  ],
  'core/input': [
    'invalid',
    [
      ['disk create a', 'a disk needs a size', 'sltv disk create a --size SIZE'],
      ['disk create a --thin', 'a thin disk needs --virtual-size', '--thin --virtual-size SIZE'],
      ['disk create a --virtual-size 1G', '--virtual-size is for thin disks', '--thin --virtual-size SIZE'],
      ['disk create a --thin --thick --virtual-size 1G', 'a disk is thin or thick', '--size SIZE'],
      ['disk create a 1G', "has no use for '1G'", 'did you mean --size 1G or --virtual-size 1G?'],
      ['disk create a --size 1 G', "has no use for 'G'", 'a size is one word'],
      ['disk extend thick', 'neither --size nor --delta', '--delta 5G adds 5 GiB'],
      ['disk extend thick --size 1G --delta 1G', 'both --size and --delta', '--size 20G makes it 20 GiB'],
      ["disk delete ''", 'was given an empty word for NAME', 'variable'],
      ['disk attach thick', 'needs VM', 'sltv disk attach DISK VM'],
      ['disk attach thick test --target', '--target needs a value', '--target TARGET'],
      [
        'disk attach thick test --target foo',
        "'foo' is no target of a disk: it is a word such as vdb",
        'leave --target out',
      ],
      [
        'disk attach thick test --target /dev/vdc',
        "'/dev/vdc' is no target of a disk: it is a word such as vdc",
        'leave --target out',
      ],
      ['pool create p', 'needs DEVICES', 'sltv pool create NAME DEVICES'],
    ],
  ],
  'core/no-shrink': [
    'invalid',
    [
      ['disk extend thick --size 4M', 'main/thick has 8 MiB; a disk never shrinks', 'give a size above 8 MiB'],
      ['disk extend thin --size 64K', 'main/thin has 1 MiB; a disk never shrinks', 'above 1 MiB'],
      ['disk resize thick --virtual-size 4M', 'the guest of main/thick sees 8 MiB', 'above 8 MiB'],
      ['disk resize thin --virtual-size 512M', 'the guest of main/thin sees 1 GiB', 'above 1 GiB'],
    ],
  ],
  'core/disk-missing': [
    'not-found',
    ['show', 'extend --delta 1M', 'resize --virtual-size 1G', 'delete', 'attach', 'detach'].map((verb): Case => {
      const [word, ...rest] = verb.split(' ');
      return [
        `disk ${word} thik ${word?.endsWith('tach') ? 'test' : ''} ${rest.join(' ')}`,
        'there is no disk thik',
        'sltv disk list',
      ];
    }),
  ],
  'core/disk-exists': [
    'exists',
    [
      ['disk create thick --size 8M', 'there is already a disk main/thick', 'sltv disk show main/thick'],
      ['disk create thin --thin --virtual-size 1G', 'there is already a disk main/thin', 'choose another name'],
      ['disk create byhand --size 8M', 'main/byhand is a volume that sltv did not make', 'choose another name'],
    ],
  ],
  'core/disk-foreign': [
    'refused',
    ['show byhand', 'delete byhand', 'delete byhand --force', 'extend byhand --delta 1M', 'attach byhand test'].map(
      (words): Case => [`disk ${words}`, 'main/byhand is a volume that sltv did not make', 'by hand'],
    ),
  ],
  'dir/newer': [
    'unsupported',
    ['show newer', 'delete newer', 'extend newer --delta 1M', 'create newer --size 1M'].map(
      (words): Case => [`disk ${words}`, 'newer.json was written by a newer sltv', 'upgrade sltv'],
    ),
  ],
  'dir/side-file': [
    'refused',
    ['show broken', 'delete broken', 'extend broken --delta 1M', 'create broken --size 1M'].map(
      (words): Case => [`disk ${words}`, "broken.json can't be read", /mend \S+broken.json by hand, or restore it/],
    ),
  ],
  'dir/file-missing': [
    'not-found',
    [
      [
        'disk extend lost --delta 1M',
        /the file of volume main\/lost, \S+main\/lost, is gone/,
        'sltv disk delete main/lost',
      ],
    ],
  ],
  'core/disk-ambiguous': [
    'invalid',
    [
      ['disk show twin', 'several pools have a disk twin: main/twin, more/twin', 'name it as POOL/DISK'],
      ['disk delete twin', 'main/twin, more/twin', 'name it as POOL/DISK'],
    ],
  ],
  'core/pool-missing': [
    'not-found',
    [
      ['disk create a --size 1M --pool man', 'there is no pool man on this host', 'pools here: main, more, theirs'],
      ['disk list --pool man', 'there is no pool man on this host', 'pools here: main, more, theirs'],
      ['disk show man/thick', 'there is no pool man on this host', 'pools here: main, more, theirs'],
      ['pool show man', 'there is no pool man on this host', 'pools here: main, more, theirs'],
      ['pool extend man /dev/loop0', 'there is no pool man on this host', 'pools here: main, more, theirs'],
    ],
  ],
  'core/unsupported': [
    'unsupported',
    [['pool extend main /dev/loop0', 'main is a pool of kind dir, which takes no devices', 'sltv pool list']],
  ],
  'core/pool-exists': [
    'exists',
    [['pool create main /dev/loop0', 'there is already a pool main', 'sltv pool show main']],
  ],
  'core/no-provider': [
    'unsupported',
    [
      [
        'pool create p /dev/loop0',
        'no plugin of this daemon makes pools of kind lvm',
        'add lvm() to plugins in sltv.config.ts',
      ],
      ['pool create p /dev/loop0 --kind zfs', 'kind zfs', 'add lvm() to plugins'],
    ],
  ],
  'dir/no-space': [
    'exhausted',
    [
      ['disk create a --size 900T', /pool main has .* free, 900 TiB are needed/, 'df -h'],
      ['disk extend thick --size 900T', /pool main has .* free, \S+ TiB are needed/, 'df -h'],
    ],
  ],
  'dir/pool-missing': [
    'unavailable',
    ['disk create a --size 1M --pool gone', 'disk show gone/a', 'disk list --pool gone', 'pool show gone'].map(
      (words): Case => [words, /the directory of pool gone, \S+gone, is not there/, 'mount it, or make it'],
    ),
  ],
  'dir/other-domain': [
    'refused',
    [
      [
        'disk create a --size 1M --pool theirs',
        /pool theirs \(\S+\) belongs to local\/ffff\S+, not to this host/,
        /if this host alone uses it now: rm \S+theirs\/.sltv\/pool/,
      ],
    ],
  ],
  'core/vm-missing': [
    'not-found',
    [
      ['disk attach thick tset', 'there is no VM tset on this host', 'sltv vm list'],
      ['disk attach thick 00000000-0000-0000-0000-000000000000', 'there is no VM 0000', 'sltv vm list'],
    ],
  ],
  'core/attachment-missing': [
    'not-found',
    [['disk detach thick test', 'main/thick is not attached to test', 'it is not attached to any VM']],
  ],
  'core/target-in-use': [
    'refused',
    [['disk attach thick test --target vda', 'test has /guest/diskimage1 as vda already', 'leave --target out']],
  ],
};

for (const [code, [kind, cases]] of Object.entries(CASES)) {
  test(`${code}: ${cases.map(([typed]) => typed.slice(0, 50)).join('; ')}`, async () => {
    const before = state();
    const judged = cases.map(async ([words, says, hint]) => {
      const typed = `sltv ${words}`;
      judge({ typed, kind, code, says, hint }, await type(typed, daemon.env));
    });
    await Promise.all(judged);
    assert.equal(state(), before, 'nothing changed');
  });
}

test('with --json an error is an object on stderr, and nothing is on stdout', async () => {
  const { stdout, stderr, code } = await type('sltv disk show thik --json', daemon.env);
  assert.equal(JSON.parse(stderr), {
    code: 'core/disk-missing',
    kind: 'not-found',
    message: 'there is no disk thik',
    hint: 'sltv disk list',
  });
  assert.equal([stdout, code], ['', 3]);
});

test("no caller's mistake is an error in the daemon's log", () => {
  const levels = daemon
    .log()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line).level] : []));
  assert.ok(levels.includes('info'));
  assert.not.ok(levels.includes('error'));
});

test.run();
