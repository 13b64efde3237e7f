/** docs/performance.md: the tables between its markers, from the JSON files of docs/performance/. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawGrowth, growthTable } from './growth_report.ts';
import {
  describeOwn,
  failures,
  markdownTable,
  matmulTable,
  modelTable,
  profileTables,
  type BenchReport,
  type Header,
} from './report.ts';
import { targets, type AnyReport } from './targets.ts';

const BEGIN = '<!-- tables: made by npm run bench -- --write-docs -->';
const END = '<!-- end of tables -->';

interface Named {
  readonly name: string; // of the file, without .json
  readonly report: AnyReport;
}

const origin = ({ adapter, browser, date, command, machine }: Header): string =>
  `\`${command}\` — ${adapter}, ${browser}, ${machine.cores} cores (${machine.processor}), load ${machine.load.map((load) => load.toFixed(1)).join(' to ')}, ${date.slice(0, 10)}`;

function presetSection(report: BenchReport): string {
  const { preset, shape, parameterCount, trainGflop } = report;
  const sizes = Object.entries(shape).map(([name, size]) => `${name} ${size}`);
  return [
    `### ${preset}`,
    `${sizes.join(', ')}; ${parameterCount} parameters, ${trainGflop.toFixed(2)} GFLOP a step. ${origin(report)}.`,
    modelTable(report),
    ...failures(report).map((line) => `- no number: ${line}`),
  ].join('\n\n');
}

function ownSection({ name, report }: Named, folder: string): string {
  if ('results' in report) return presetSection(report);
  if (report.suite === 'profile')
    return ['### where our time goes', `${origin(report)}.`, profileTables(report)].join('\n\n');
  if (report.suite !== 'scaling') {
    const [first, ...others] = describeOwn(report).split('\n').slice(0, -1);
    return [`### ${report.suite}`, `${[first, ...others].join('. ')}. ${origin(report)}.`].join('\n\n');
  }
  const drawing = `![Time of an update against its arithmetic](${folder.split('/').at(-1)}/${name}.svg)`;
  return ['### growth', `${origin(report)}.`, growthTable(report), drawing].join('\n\n');
}

function adapterSection(title: string, named: readonly Named[], folder: string): string {
  const reports = named.map(({ report }) => report);
  const presets = reports.filter((report): report is BenchReport => 'results' in report);
  const products = presets.find(({ results }) =>
    Object.values(results).some(({ matmulGflops }) => matmulGflops),
  );
  const rows = targets(reports).map(({ what, wanted, measured, met }) => [
    what,
    wanted,
    measured,
    met ? 'met' : '**missed**',
  ]);
  return [
    `## ${title}`,
    markdownTable(['target', 'wanted', 'measured', ''], rows),
    ...(products ? ['### matrix products', `${origin(products)}.`, matmulTable(products)] : []),
    ...named.map((one) => ownSection(one, folder)),
  ].join('\n\n');
}

/** The text between the markers: one section per adapter and browser, presets before the engine's own suites. */
export function performanceTables(named: readonly Named[], folder: string): string {
  const groups = new Map<string, Named[]>();
  for (const one of named) {
    const { adapter, browser } = one.report;
    const title = `${adapter}, ${browser}`;
    groups.set(title, [...(groups.get(title) ?? []), one]);
  }
  return [...groups].map(([title, members]) => adapterSection(title, members, folder)).join('\n\n');
}

/** Replaces what stands between the markers. @throws Error when the page lacks them */
export function replaceTables(page: string, tables: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page has no "${BEGIN}" before "${END}"`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${page.slice(end)}`;
}

const ORDER = ['small', 'brief', 'classroom', 'profile', 'instant', 'packing', 'scaling'];
const orderOf = ({ report }: Named): number =>
  ORDER.indexOf('results' in report ? report.preset : report.suite);

/** @param folder of the JSON files; the page stands beside it. @returns what was done, for the terminal */
export function writeDocs(folder: string): string {
  const named = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ name: file.slice(0, -'.json'.length), report: readReport(join(folder, file)) }))
    .filter((one) => orderOf(one) >= 0) // other tools keep their results here too
    .sort((a, b) => orderOf(a) - orderOf(b));
  for (const { name, report } of named) {
    if ('suite' in report && report.suite === 'scaling')
      writeFileSync(join(folder, `${name}.svg`), drawGrowth(report));
  }
  const page = `${folder}.md`;
  writeFileSync(page, replaceTables(readFileSync(page, 'utf8'), performanceTables(named, folder)));
  return `${page}: ${named.length} results`;
}

const readReport = (path: string): AnyReport => JSON.parse(readFileSync(path, 'utf8')) as AnyReport; // written by save()
