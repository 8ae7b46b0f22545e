// docs/writing-a-plugin.md, as somebody reads it who has the executable and that page: every block in its order, in an empty folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { trustedFolder } from '../core/kernel/kit.ts';
import { EXECUTABLE } from '../fixtures/executable.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/writing-a-plugin.md'), 'utf8');

/** Lines that are indented by four, without what is between two files or two sessions. */
const blocks = [...PAGE.matchAll(/(?:^(?: {4}.*)?\n)+/gm)]
  .flatMap(([block]) => block.replace(/^ {4}/gm, '').split(/\n(?=\/\/ \S+\.ts\n)/))
  .map((block) => block.trim())
  .filter((block) => block !== '');

interface Step {
  readonly typed: string;
  /** What is shown after it; `…` stands for anything. */
  readonly shown: string;
}

/** What is typed in a block, and what comes of it. */
function stepsOf(session: string): readonly Step[] {
  return session
    .split(/^\$ /m)
    .slice(1)
    .map((text) => {
      const [typed = '', ...shown] = text.split('\n');
      return { typed, shown: shown.join('\n').trim() };
    });
}

/** `…` alone on a line stands for any lines, elsewhere for any letters. */
function pattern(shown: string): RegExp {
  const escaped = shown.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/^…$/gm, '[\\s\\S]*').replaceAll('…', '.*')}$`);
}

/** A shell in a folder. What it says comes back with each line that is typed. */
function shellIn(folder: string): AsyncDisposable & { type(line: string): Promise<string> } {
  const env = { PATH: `${join(EXECUTABLE, '..')}:${process.env.PATH}`, HOME: folder };
  const bash = spawn('bash', ['--norc'], { cwd: folder, env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(bash.stdout)[Symbol.asyncIterator]();
  bash.stdin.write('exec 2>&1\n');
  return {
    async type(line) {
      bash.stdin.write(`${line}\necho "=== done"\n`);
      const said: string[] = [];
      for (let next = await lines.next(); !next.done && next.value !== '=== done'; next = await lines.next())
        said.push(next.value);
      return said.join('\n').trim();
    },
    async [Symbol.asyncDispose]() {
      const ended = once(bash, 'close');
      bash.stdin.end('kill $(jobs -p) 2> /dev/null; wait\n');
      await ended;
    },
  };
}

test('every block of docs/writing-a-plugin.md does what the page says', async () => {
  await using folder = await trustedFolder();
  await using shell = shellIn(folder.path);
  let typed = 0;
  for (const block of blocks) {
    const [, file] = /^\/\/ (\S+\.ts)\n/.exec(block) ?? [];
    if (file !== undefined) writeFileSync(join(folder.path, file), `${block}\n`);
    assert.ok(file === undefined || !/^\$ /m.test(block), `between ${file} and what is typed stands a sentence`);
    for (const step of block.startsWith('$ ') ? stepsOf(block) : []) {
      const said = await shell.type(step.typed);
      assert.ok(pattern(step.shown).test(said), `$ ${step.typed}\nsaid:\n${said}\nand not:\n${step.shown}`);
      typed += 1;
    }
  }
  assert.ok(typed > 15, 'the page has commands');
});

test.run();
