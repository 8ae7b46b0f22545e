// What all benchmarks share: pairs of measurements, goals, a table, raw numbers in bench/results.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { columns } from '../core/cli/table.ts';

export const ROOT = join(import.meta.dirname, '..');
export const EXECUTABLE = join(ROOT, 'dist/sltv');

/** Milliseconds of one process from start to end. Throws when it ends badly: a failure must not count as a fast run. */
export function timeProcess(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): number {
  const begun = performance.now();
  const { status, stderr, error } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  const elapsed = performance.now() - begun;
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return elapsed;
}

/** Milliseconds of two things, measured in turn. */
export interface Pairs {
  readonly ours: readonly number[];
  readonly bare: readonly number[];
}

/**
 * Measures both sides in turn, so that a noisy neighbour meets both; the first of each pair changes from round to round. The
 * rounds before `rounds` begin are not counted: they warm the page cache.
 */
export async function measurePairs(
  rounds: number,
  ours: (round: number) => number | Promise<number>,
  bare: (round: number) => number | Promise<number>,
): Promise<Pairs> {
  const pairs = { ours: [] as number[], bare: [] as number[] };
  for (let round = -WARM_UP; round < rounds; round++) {
    const first = round % 2 === 0 ? await ours(round) : undefined;
    const other = await bare(round);
    const mine = first ?? (await ours(round));
    if (round < 0) continue;
    pairs.ours.push(mine);
    pairs.bare.push(other);
  }
  return pairs;
}

const WARM_UP = 2;

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
}

/** The smallest that so many of a hundred don't exceed; 100: the largest. */
export function percentile(numbers: readonly number[], of: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.ceil((numbers.length * of) / 100) - 1] ?? Number.NaN;
}

/** The median of the ratios of each pair: what was slow for both at once cancels out. */
export const medianRatio = ({ ours, bare }: Pairs): number =>
  median(ours.map((mine, round) => mine / (bare[round] ?? Number.NaN)));

/** One line of a benchmark's table. `goal`: the most that `value` may be. */
export interface Line {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: number;
  /** What else the table says of it, by column. */
  readonly beside?: Readonly<Record<string, string | number>>;
  /** Raw numbers. */
  readonly raw?: unknown;
}

/** A line for a pair: its ratio against a goal, with both medians beside. */
export function ratioLine(what: string, pairs: Pairs, goal?: number): Line {
  const beside = {
    'ours (ms)': median(pairs.ours).toFixed(1),
    'bare (ms)': median(pairs.bare).toFixed(1),
    pairs: pairs.ours.length,
  };
  return { what, value: medianRatio(pairs), unit: '×', ...(goal === undefined ? {} : { goal }), beside, raw: pairs };
}

/** Prints the table, writes the raw numbers to bench/results/NAME.json, and fails the process when a goal is missed. */
export function report(name: string, lines: readonly Line[]): void {
  const isMissed = ({ value, goal }: Line) => goal !== undefined && !(value <= goal);
  console.log(tableOf(lines, isMissed));
  const results = join(ROOT, 'bench/results');
  mkdirSync(results, { recursive: true });
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  writeFileSync(join(results, `${name}.json`), JSON.stringify({ at: new Date(), machine, lines }, undefined, 2));
  if (lines.some(isMissed)) process.exitCode = 1;
}

function tableOf(lines: readonly Line[], isMissed: (line: Line) => boolean): string {
  const extra = [...new Set(lines.flatMap(({ beside = {} }) => Object.keys(beside)))];
  const rows = lines.map((line) => [
    line.what,
    `${Number(line.value.toFixed(2))} ${line.unit}`.trim(),
    ...(line.goal === undefined ? ['', ''] : [`≤ ${line.goal}`, isMissed(line) ? 'MISSED' : 'met']),
    ...extra.map((column) => String(line.beside?.[column] ?? '')),
  ]);
  return columns([['', 'value', 'goal', '', ...extra], ...rows]).join('\n');
}
