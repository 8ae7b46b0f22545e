// The results on docs/performance.md, from bench/results: `node bench/page.ts` writes anew those that were measured here.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Line, ROOT } from './measure.ts';

const PAGE = join(ROOT, 'docs/performance.md');

/** What stands in bench/results/NAME.json. */
interface Result {
  readonly at: string;
  readonly machine: { readonly cpus: number; readonly model: string; readonly node: string };
  readonly lines: readonly Line[];
}

/** The page with the results that `resultOf` has; the others stay as they are. */
function withResults(page: string, resultOf: (name: string) => Result | undefined): string {
  return page.replace(/(<!-- result of (\w+) -->\n)[\s\S]*?(<!-- end of result -->)/g, (place, begin, name, end) => {
    const result = resultOf(name);
    return result === undefined ? place : `${begin}\n${sectionOf(result)}\n\n${end}`;
  });
}

function sectionOf({ at, machine, lines }: Result): string {
  const rows = lines.map(
    ({ what, value, unit, goal, beside = {} }) =>
      `| ${what} | ${`${Number(value.toFixed(2))} ${unit}`.trim()} | ${verdict(value, goal)} | ${Object.entries(beside)
        .map(([name, word]) => `${name}: ${word}`)
        .join('; ')} |`,
  );
  const where = `${at.slice(0, 10)}, ${machine.cpus} cores of ${machine.model}, Node ${machine.node.slice(1)}`;
  return [`Measured: ${where}.`, '', '| what | value | goal | beside |', '|---|---|---|---|', ...rows].join('\n');
}

const verdict = (value: number, goal: number | undefined) =>
  goal === undefined ? '–' : `≤ ${goal}: ${value <= goal ? 'met' : '**missed**'}`;

function kept(name: string): Result | undefined {
  const file = join(ROOT, 'bench/results', `${name}.json`);
  // What `report` wrote.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Result) : undefined;
}

writeFileSync(PAGE, withResults(readFileSync(PAGE, 'utf8'), kept));
