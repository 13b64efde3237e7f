/** `npm run experiment` as a person calls it: the plan, the page from runs that are there, what is refused; the queue itself. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { experimentCommand } from '../../scripts/experiment.mjs';
import { parseExperiment, plannedRuns } from '../../src/experiment/experiment.ts';
import { saidBy, sources } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'experiment-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** In a process of its own, as npm starts it. */
const start = (...words: readonly string[]) =>
  spawnSync(process.execPath, ['scripts/experiment.mjs', ...words], { encoding: 'utf8' });

const FILE = {
  name: 'two',
  question: 'Is grpo better than at2po on two tasks?',
  base: { preset: 'instant' },
  arms: [
    { name: 'at2po', algorithm: 'at2po' },
    { name: 'grpo', algorithm: 'grpo' },
  ],
  tasks: [{ name: 'near' }, { name: 'far', settings: ['datasets=musique'] }],
  seeds: [1, 2, 3],
  budget: { by: 'generated', amount: 1000 },
  evaluation: { questions: 10 },
};

/** Made of a run that lies in docs/results: curves, adapter and date are its own. */
function writeRuns(out: string): void {
  mkdirSync(join(out, 'runs'), { recursive: true });
  for (const { id, options, seed, arm, task } of plannedRuns(parseExperiment(FILE))) {
    const base = JSON.parse(readFileSync(`docs/results/methods/${arm}-${seed}.json`, 'utf8')) as object;
    const used = { updates: 40, tokens: 1000, generated: 2000, seconds: task === 'far' ? 30 : 10 };
    writeFileSync(join(out, 'runs', `${id}.json`), JSON.stringify({ ...base, id, options, used }));
  }
}

test('the page is made again from the runs that are there, and they are not made again', async () => {
  const [file, out] = [join(folder, 'two.json'), join(folder, 'out')];
  writeFileSync(file, JSON.stringify(FILE));
  writeRuns(out);
  const { status, stdout, stderr } = await saidBy(() => experimentCommand([file, '--out', out], (work) => work({ server: sources }))); // prettier-ignore
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/12 runs are there already, 0 are to be made\.\n/);
  const page = readFileSync(join(out, 'README.md'), 'utf8');
  const scores = [1, 2, 3].map((seed) => {
    const text = readFileSync(`docs/results/methods/grpo-${seed}.json`, 'utf8');
    return (JSON.parse(text) as { heldOut: { after: { exactMatch: number } } }).heldOut.after.exactMatch;
  });
  const cells = scores.map((score) => score.toFixed(3)).join(' | ');
  expect(page).toContain(`| \`grpo\` | near | ${cells} |\n| \`grpo\` | far | ${cells} |`);
  expect(page).toContain('Adapter google swiftshader; 2026-11-21; seeds 1, 2, 3.');
  expect(page).toMatch(
    /\| `grpo` \| method grpo for at2po \| 6 \|.*\| 6 of 6 \(.*\| 40 \| 1,000 \| 2,000 \| – \| 20 \|/,
  );
  expect(page).toMatch(/No difference seen between grpo and at2po \(6 pairs\)/);
  expect(page).toContain('None of the 12 runs collapsed');
  const results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Record<string, unknown>;
  expect(results).toMatchObject({ planned: 12, runs: 12, adapters: ['google swiftshader'] });
});

test('settings that are none are refused before anything is trained, with the arm', () => {
  const file = join(folder, 'bad.json');
  writeFileSync(file, JSON.stringify({ ...FILE, arms: [{ name: 'x', settings: ['optimiser.speed=1'] }] }));
  const { status, stderr } = start(file, '--out', join(folder, 'none'));
  expect([status, existsSync(join(folder, 'none'))]).toEqual([2, false]);
  expect(stderr).toMatch(/^Arm x, near: .*optimiser\.speed/);
});

/** A lab that does as it is told by its --seed: ends, fails, or waits for Ctrl-C and leaves a file. */
const LAB = `
import { existsSync, writeFileSync } from 'node:fs';
const of = (name) => process.argv[process.argv.indexOf(name) + 1];
const [seed, left, json] = [of('--seed'), of('--left'), of('--json')];
const end = (how) => (writeFileSync(json, JSON.stringify({ how, args: process.argv.slice(2) })), process.exit(0));
if (process.argv.includes('--resume')) end('resumed');
if (seed === '1') end('new');
if (seed === '2') { console.error('no device'); process.exit(1); }
process.on('SIGINT', () => { writeFileSync(left, ''); process.exit(130); });
writeFileSync(left + '.ready', '');
setInterval(() => undefined, 1000);
`;

/** The queue in a process of its own, over the lab above. */
const QUEUE = (queue: string, lab: string) => `
import { runSideBySide } from ${JSON.stringify(pathToFileURL(queue).href)};
const at = process.argv[2];
const runs = [1, 2, 3, 4].map((seed) => ({ seed, left: at + '/' + seed + '.turnwise', options: ['--seed', String(seed), '--until', 'tokens=5'] }));
const told = { keep: ({ seed }, { how, args }) => console.log(seed, how, args.join(' ')), lament: ({ seed }, message) => console.log(seed, message) };
console.log('stopped', await runSideBySide(runs, { jobs: 2, how: ['--dawn'], lab: ${JSON.stringify(lab)} }, told));
`;

test.skipIf(process.platform === 'win32')(
  'Ctrl-C ends the runs under way, which go on the next time with their budget; a run that fails is named, and the others run',
  async () => {
    const [lab, queue] = [join(folder, 'lab.mjs'), join(folder, 'queue.mjs')];
    writeFileSync(lab, LAB);
    writeFileSync(queue, QUEUE(join(process.cwd(), 'scripts/run_queue.mjs'), lab));
    const start = () => {
      const child = spawn(process.execPath, [queue, folder], { stdio: ['ignore', 'pipe', 'ignore'] });
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
      const end = new Promise<string>((resolve) => child.on('close', () => resolve(said)));
      return { child, end };
    };
    const first = start();
    const waits = ['3', '4'].map((seed) => join(folder, `${seed}.turnwise.ready`));
    await expect.poll(() => waits.every((file) => existsSync(file))).toBe(true);
    first.child.kill('SIGINT');
    expect((await first.end).trim().split('\n').sort()).toEqual([
      expect.stringMatching(/^1 new --seed 1 --until tokens=5 --dawn --left \S+1\.turnwise --json/),
      '2 no device',
      'stopped true',
    ]);
    const second = await start().end;
    expect(second).toMatch(/3 resumed --resume \S+3\.turnwise --until tokens=5 --dawn --left/);
    expect(second).toMatch(/4 resumed/);
    expect(second).toMatch(/stopped false\n$/);
    expect(waits.map((file) => existsSync(file.replace('.ready', '')))).toEqual([false, false]); // they are over
  },
);
