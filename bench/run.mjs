// Runs the benchmarks: node bench/run.mjs [NAME…]. Without names all of them; non-zero when a goal is missed.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const NAMES = ['size', 'start', 'list', 'operations', 'hook', 'extend', 'outrun', 'armed', 'cluster'];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !NAMES.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${NAMES.join(', ')}`);
  process.exit(2);
}

const run = (file) => spawnSync(process.execPath, [join(import.meta.dirname, file)], { stdio: 'inherit' }).status === 0;

if (!run('../build.mjs')) process.exit(1);
const missed = (wanted.length > 0 ? wanted : NAMES).filter((name) => {
  console.log(`\n${name}`);
  return !run(`${name}.ts`);
});
if (missed.length > 0) console.log(`\nmissed: ${missed.join(', ')}`);
process.exitCode = missed.length > 0 ? 1 : 0;
