// Runs the tests of all layers: node test/run.mjs [LAYER…|FILE…] [--without LAYER] [--limit SECONDS]
//
// uvu passes silently on a file without `test.run()`, on a hang and on a `before` that throws; so every file is a process
// of its own here, and what it says is weighed: a file that ran no test, skipped one, hung, ended badly or left a process
// behind has failed. Plain JavaScript: it runs before anything is known to compile.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, stripVTControlCharacters } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const BIN = join(ROOT, 'node_modules/.bin');
// The project's own Node, also when the system's older one runs this file.
const NODE = existsSync(join(BIN, 'node')) ? join(BIN, 'node') : process.execPath;
const COMMANDS = [
  // By its path: TypeScript 5.9 has a program of that name, too.
  ['tsc', ['--noEmit'], '../typescript/bin/tsc'],
  ['biome', ['check', '--error-on-warnings', '.']],
  ['knip', []],
];
// In the order in which they run: what fails in seconds comes first. `atOnce`: files side by side. `limit`: seconds a file.
// `joins`: runs beside that layer, so that no processor waits for that one's last file. Files that boot several hosts, called
// cluster…, come last and one at a time.
const LAYERS = {
  static: { folder: 'test/static', atOnce: 2, limit: 120 },
  unit: { folder: 'test', atOnce: 3, limit: 120 },
  conformance: { folder: 'test/conformance', atOnce: 2, limit: 120 },
  integration: { folder: 'test/integration', atOnce: 2, limit: 300, built: true },
  storm: { folder: 'test/storm', atOnce: 1, limit: 400 },
  testbed: { folder: 'test/testbed', atOnce: 2, limit: 1500, built: true, boots: true },
  e2e: { folder: 'test/e2e', atOnce: 2, limit: 1500, built: true, boots: true, joins: 'testbed' },
  // Only when it is asked for, as before a release: what there is no time for each time.
  long: { folder: 'test/long', atOnce: 2, limit: 1500, built: true, boots: true, onRequest: true },
};
const OUTPUTS = mkdtempSync(join(tmpdir(), 'sltv-test-'));
const running = new Set();
let started = 0;
let isStopping = false;
const total = { passed: 0, failed: 0 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { without: { type: 'string', multiple: true, default: [] }, limit: { type: 'string' } },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => stopAll(signal));
process.chdir(ROOT);
const begun = performance.now();
let built;
for (const parts of together(plan())) await runJobs(parts);
rmSync(OUTPUTS, { recursive: true, force: true });
console.log(`${((performance.now() - begun) / 1000).toFixed(0)} s in all`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

/** Which files of which layers, in order. A name that means no layer and no test is a failure, not an empty success. */
function plan() {
  const left = values.without.flatMap((names) => names.split(','));
  const named = positionals.filter((name) => !(name in LAYERS)).map((name) => relative(ROOT, resolve(name)));
  for (const name of left.filter((layer) => !(layer in LAYERS))) fail('plan', `--without ${name}: no such layer`);
  const all = readdirSync('test', { recursive: true }).map((name) => `test/${name}`);
  const files = all.filter((path) => path.endsWith('.test.ts') && !path.includes('/fixtures/')).sort();
  const within = (name) => files.filter((file) => file.startsWith(`${name}/`));
  // A file named outright is run wherever it lies.
  const picked = new Set(named.flatMap((name) => (within(name).length > 0 ? within(name) : [name])));
  for (const name of picked) if (!existsSync(name)) fail('plan', `${name}: no such layer or file`);
  const plans = Object.keys(LAYERS).map((layer) => {
    const whole = positionals.includes(layer) || (positionals.length === 0 && !LAYERS[layer].onRequest);
    const chosen = whole ? files : [...picked].filter(existsSync);
    return { layer, whole, files: chosen.filter((file) => layerOf(file) === layer) };
  });
  const empty = ({ layer, files }) => files.length === 0 && !positionals.includes(layer);
  return plans.filter((each) => !left.includes(each.layer) && !empty(each));
}

function layerOf(file) {
  const folder = Object.keys(LAYERS).find((layer) => layer !== 'unit' && file.startsWith(`${LAYERS[layer].folder}/`));
  return folder ?? 'unit';
}

/** Parts of the plan that run side by side. */
function together(parts) {
  const groups = [];
  for (const part of parts) {
    const group = groups.find(([first]) => first.layer === LAYERS[part.layer].joins);
    if (group) group.push(part);
    else groups.push([part]);
  }
  return groups;
}

async function runJobs(parts) {
  const jobs = [];
  for (const part of parts) jobs.push(...(await jobsOf(part)));
  const isWide = ([layer, title]) => LAYERS[layer].boots && /\/cluster[^/]*$/.test(title);
  await runSideBySide(
    jobs.filter((job) => !isWide(job)),
    LAYERS[parts[0].layer].atOnce,
  );
  await runSideBySide(jobs.filter(isWide), 1);
}

async function runSideBySide(jobs, atOnce) {
  const worker = async () => {
    for (let job = jobs.shift(); job && !isStopping; job = jobs.shift()) await runOne(...job);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** What there is to run of a layer; a layer that can't run has failed. */
async function jobsOf({ layer, whole, files }) {
  const { built: needsBuild, limit, boots } = LAYERS[layer];
  // setup.mjs says so where this machine can't: SLTV_TESTBED=unavailable:REASON.
  const state = (boots && process.env.SLTV_TESTBED) || '';
  const none = (why) => {
    fail(layer, why);
    return [];
  };
  if (state.startsWith('unavailable')) {
    return none(`can't run here: ${state.slice('unavailable:'.length)} (leave it out: --without ${layer})`);
  }
  if (needsBuild) built ??= await runOne(layer, 'node build.mjs', NODE, ['build.mjs'], 300);
  if (needsBuild && !built) return none('nothing was run, because the build failed');
  const seconds = Number(values.limit ?? limit);
  const commands = layer === 'static' && whole ? COMMANDS : [];
  const jobs = [
    ...commands.map(([name, args, program = name]) => [layer, name, join(BIN, program), args, seconds]),
    ...files.map((file) => [layer, file, NODE, [file], seconds, readCounts]),
  ];
  return jobs.length === 0 ? none('there is no test in this layer') : jobs;
}

/** Runs one process to its end, prints its line, counts it, and answers whether all was well. */
async function runOne(layer, title, program, args, seconds, count = countAsOne) {
  const began = performance.now();
  const path = join(OUTPUTS, String(++started));
  const output = openSync(path, 'w');
  // Everything that this process starts carries the mark, whatever group or session it puts itself in. Settings of the shell
  // that we were started from would change what the tests see.
  const mark = `${process.env.SLTV_TEST_MARK ?? ''}/${process.pid}-${started};`;
  const settings = Object.keys(process.env).filter((name) => /^SLTV_(?!TESTBED)/.test(name));
  const env = {
    ...process.env,
    ...Object.fromEntries(settings.map((name) => [name, undefined])),
    PATH: `${BIN}:${process.env.PATH}`,
    // Most of a small test's time is Node's compiling of what others have had it compile before.
    NODE_COMPILE_CACHE: join(ROOT, '.cache/compiled'),
    SLTV_TEST_MARK: mark,
  };
  // A file, not a pipe: whoever is left behind would hold a pipe open for ever.
  const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output], env });
  running.add(mark);
  const timer = setTimeout(() => end(mark), seconds * 1000);
  const ended = await new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
    child.once('error', (error) => resolve(error.message));
  });
  const elapsed = (performance.now() - began) / 1000;
  clearTimeout(timer);
  closeSync(output);
  const left = await leftBehind(mark);
  await end(mark);
  running.delete(mark);
  const text = stripVTControlCharacters(readFileSync(path, 'utf8'));
  const counts = count(text, ended);
  const reasons = [
    elapsed >= seconds ? `did not end within ${seconds} s` : ended !== 0 ? `ended with ${ended}` : undefined,
    ...counts.reasons,
    left.length > 0 ? `left processes behind: ${left.join(', ')}` : undefined,
  ].filter((reason) => reason !== undefined);
  const failed = Math.max(counts.failed, reasons.length > 0 ? 1 : 0);
  total.passed += counts.passed;
  total.failed += failed;
  const verdict = `${counts.passed} passed${failed > 0 ? `, ${failed} FAILED: ${reasons.join('; ')}` : ''}`;
  console.log(`${failed > 0 ? 'FAIL' : 'ok  '} ${layer}: ${title} (${elapsed.toFixed(1)} s): ${verdict}`);
  if (failed > 0) console.log(text.replace(/^/gm, '     | '));
  return failed === 0;
}

/** uvu's own account of a file. What neither passed nor was counted as failed (a hook that threw) has failed. */
function readCounts(text) {
  const number = (word) => Number(text.match(new RegExp(`^ {2}${word}: +(\\d+)$`, 'm'))?.[1] ?? 0);
  const [all, passed, skipped] = [number('Total'), number('Passed'), number('Skipped')];
  const reasons = [
    all === 0 ? 'ran no test (does it call test.run()?)' : undefined,
    skipped > 0 ? `skipped ${skipped}` : undefined,
    passed < all ? `${all - passed} of ${all} tests` : undefined,
  ];
  return { passed, failed: all - passed, reasons };
}

function countAsOne(_text, ended) {
  return { passed: ended === 0 ? 1 : 0, failed: 0, reasons: [] };
}

function fail(layer, why) {
  total.failed += 1;
  console.log(`FAIL ${layer}: ${why}`);
}

/** Names the processes with this mark that are still there a second after the file ended: what is just dying gets that. */
async function leftBehind(mark) {
  for (let tries = 0; marked(mark).length > 0 && tries < 20; tries++) await sleep(50);
  return marked(mark).map(describe);
}

function marked(mark) {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`SLTV_TEST_MARK=${mark}`);
    } catch {
      return false; // gone meanwhile, or another user's
    }
  });
}

function describe(pid) {
  try {
    return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 200)}`;
  } catch {
    return pid;
  }
}

/** Ends all processes with this mark, softly first: a test bed has something to clear away. */
async function end(mark) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    for (const pid of marked(mark)) {
      try {
        process.kill(Number(pid), signal);
      } catch {} // gone meanwhile
    }
    for (let tries = 0; marked(mark).length > 0 && tries < 40; tries++) await sleep(50);
  }
}

async function stopAll(signal) {
  // Nothing takes the place of what is ended.
  isStopping = true;
  await Promise.all([...running].map(end));
  rmSync(OUTPUTS, { recursive: true, force: true });
  console.log(`stopped by ${signal}\n${total.passed} passed, ${total.failed + 1} failed`);
  process.exit(1);
}
