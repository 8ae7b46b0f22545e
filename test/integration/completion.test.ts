// What Tab does in each shell, beside a daemon with disks: the script that the executable prints, in the shell itself.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { type OwnDaemon, ownDaemon, type } from '../fixtures/executable.ts';
import { type Terminal, terminal } from '../fixtures/terminal.ts';

const DIST = join(import.meta.dirname, '../../dist');
const life = new AsyncDisposableStack();
let folder: string;
let daemon: OwnDaemon;

test.before(async () => {
  folder = life.use(await trustedFolder()).path;
  mkdirSync(join(folder, 'images'));
  daemon = life.use(
    await ownDaemon(
      folder,
      `dir({ pools: { images: '${folder}/images' } }), libvirt({ uri: 'test:///default' }), localLock(), autoextend()`,
    ),
  );
  for (const name of ['web01', 'web02', 'db']) await said(`sltv disk create ${name} --size 1M`);
});
test.after(() => life.disposeAsync());

async function said(line: string): Promise<string> {
  const { code, stdout, stderr } = await type(line, daemon.env);
  assert.equal([code, stderr], [0, ''], line);
  return stdout;
}

/** Between them stands the line that was being typed when ^T was hit. */
const [BEFORE, AFTER] = ['<line:', ':line>'];

/** What a shell reads when it starts, with our script where its users put it; and how it is started. */
const SHELLS = {
  bash: {
    start: 'bash --noprofile --rcfile "$HOME/.bashrc" -i',
    files: (script: string) => ({
      'completions.bash': script,
      '.bashrc': `PS1=READY
source "$HOME/completions.bash"
tell() { printf %s '${BEFORE}' "$READLINE_LINE" '${AFTER}'; READLINE_LINE=; }
bind -x '"\\C-t": tell'`,
    }),
  },
  zsh: {
    start: 'zsh -i',
    files: (script: string) => ({
      'functions/_sltv': script,
      '.zshrc': `PS1=READY
fpath=("$HOME/functions" $fpath)
autoload -Uz compinit && compinit -u
tell() { print -rn -- '${BEFORE}'"$BUFFER"'${AFTER}'; BUFFER=; }
zle -N tell && bindkey '^T' tell && bindkey '^I' complete-word`,
    }),
  },
} as const;

const TRIES = 10;

/** Keys, and the line that comes of them. */
const LINES = {
  'sltv dis\t': 'sltv disk ',
  'sltv disk sho\t': 'sltv disk show ',
  'sltv disk show d\t': 'sltv disk show db ',
  'sltv disk show images/d\t': 'sltv disk show images/db ',
  'sltv disk show w\t': 'sltv disk show web0',
  'sltv disk attach db t\t': 'sltv disk attach db test ',
  'sltv disk list --pool i\t': 'sltv disk list --pool images ',
  'sltv disk list --pool=i\t': 'sltv disk list --pool=images ',
  'sltv disk create x --virt\t': 'sltv disk create x --virtual-size ',
  'sltv autoextend st\t': 'sltv autoextend status ',
  'sltv disk list --config files/on\t': 'sltv disk list --config files/only-file ',
  'sltv disk nonsense x y\t': 'sltv disk nonsense x y',
};

for (const [name, { start, files }] of Object.entries(SHELLS)) {
  let shell: Terminal;
  const typed = async (keys: string): Promise<string> => {
    const shown = await shell.type(`${keys}\x14`, AFTER);
    return shown.slice(shown.lastIndexOf(BEFORE) + BEFORE.length, shown.lastIndexOf(AFTER));
  };
  /** A Tab waits for the daemon a second at most, which a busy machine may take: whoever sits there hits it again. */
  const becomes = async (keys: string, line: string): Promise<void> => {
    for (let tries = 1; tries < TRIES; tries++) if ((await typed(keys)) === line) return;
    assert.is(await typed(keys), line);
  };

  test(`${name} starts with the script that sltv completion prints`, async () => {
    const home = join(folder, name);
    for (const [path, text] of Object.entries(files(await said(`sltv completion script ${name}`)))) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    }
    mkdirSync(join(home, 'files'));
    writeFileSync(join(home, 'files/only-file'), '');
    const env = { HOME: home, ZDOTDIR: home, PATH: `${DIST}:${process.env.PATH}`, ...daemon.env };
    shell = life.use(await terminal(`cd ${home} && ${start}`, env, 'READY'));
  });

  for (const [keys, line] of Object.entries(LINES)) {
    test(`${name}: ${keys.replace('\t', '<Tab>')} becomes ${line}`, async () => {
      await becomes(keys, line);
    });
  }

  test(`${name} lists what it could be`, async () => {
    const shown = await shell.type('sltv disk show web\t\t\t', 'web02');
    assert.match(shown, 'web01');
    await typed('');
  });
}

test('fish offers the same', async () => {
  const script = join(folder, 'sltv.fish');
  writeFileSync(script, await said('sltv completion script fish'));
  mkdirSync(join(folder, 'fish'));
  for (const [line, ...offered] of [
    ['sltv dis', 'disk'],
    ['sltv disk sho', 'show'],
    ['sltv disk show w', 'web01', 'web02'],
    ['sltv disk show images/d', 'images/db'],
    ['sltv disk attach db t', 'test'],
    ['sltv disk list --pool i', 'images'],
    ['sltv disk list --pool=i', '--pool=images'],
    ['sltv disk create x --virt', '--virtual-size'],
    ['sltv autoextend st', 'status'],
    ['sltv disk list --config files/on', 'files/only-file'],
  ]) {
    const env = { ...daemon.env, HOME: join(folder, 'fish') };
    const ask = () =>
      type(`cd ${folder}/bash && fish --command "source ${script}; complete --do-complete '${line}'"`, env);
    let answer = await ask();
    for (let tries = 1; tries < TRIES && answer.stdout === ''; tries++) answer = await ask();
    assert.equal([answer.code, answer.stderr, answer.stdout.trimEnd().split('\n')], [0, '', offered], line);
  }
});

test.run();
