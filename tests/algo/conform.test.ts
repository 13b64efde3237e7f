import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import credit from '../fixtures/credit.json';
import expansion from '../fixtures/expansion.json';
import losses from '../fixtures/losses.json';
import rollout from '../fixtures/rollout.json';
import { conformFile } from '../conform/index.ts';
import { Checker } from '../conform/report.ts';

/** A copy of a fixture with one thing changed. */
function tampered<T>(file: T, change: (copy: T) => void): T {
  const copy = structuredClone(file);
  change(copy);
  return copy;
}

const verdicts = async (name: string, file: unknown) =>
  (await conformFile(name, file)).flatMap((result) =>
    'passed' in result ? [[result.name, result.passed]] : [],
  );

test('a fixture changed in one number or one decision is a miss', async () => {
  const value = tampered(credit, (file) => (file.cases[1].values.child_mean[0] += 1e-9));
  expect(await verdicts('credit', value)).toEqual([['credit', false]]);
  const pick = tampered(expansion, (file) => file.cases[0].steps[0].picked.reverse());
  expect(await verdicts('expansion', pick)).toEqual([['expansion', false]]);
  const token = tampered(rollout, (file) => (file.cases[0].trees[0][1].call_counter += 1));
  expect(await verdicts('rollout', token)).toEqual([['rollout', false]]);
  const gradient = tampered(losses, (file) => (file.families.atpo[0].grad_log_prob[0][0]! += 1e-9));
  const verdictOf = Object.fromEntries(await verdicts('losses', gradient)) as Record<string, boolean>;
  const failed = Object.keys(verdictOf).filter((name) => !verdictOf[name]);
  expect(Object.keys(verdictOf)).toHaveLength(11);
  expect(failed).toHaveLength(1);
  expect(failed[0]).toMatch(/^losses\/atpo, empty row/);
});

test('a NaN is a miss, and a family without cases has not passed', () => {
  const check = new Checker('family', 1e-12);
  expect(check.report().passed).toBe(false);
  check.case('one', () => check.close('x', NaN, 0));
  expect(check.report()).toMatchObject({
    passed: false,
    worstError: Infinity,
    failures: ['one: x: got NaN, want 0'],
  });
});

test('a file of an unknown name is listed with its cases', async () => {
  expect(await conformFile('ppo', { header: {}, cases: [1, 2], extra: [3] })).toEqual([
    { name: 'ppo', cases: 2, notImplemented: true },
    { name: 'ppo/extra', cases: 1, notImplemented: true },
  ]);
});

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('node', ['scripts/conform.mjs', ...args], {
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
};

test('the command says so when the folder is missing, absent or holds nothing', () => {
  const empty = mkdtempSync(join(tmpdir(), 'conform-'));
  expect(run()).toMatchObject({
    status: 2,
    output: expect.stringContaining('Usage: npm run conform') as string,
  });
  expect(run('no/such/folder').output).toContain('There is no folder no/such/folder');
  expect(run(empty)).toMatchObject({
    status: 2,
    output: expect.stringContaining('nothing to check') as string,
  });
  rmSync(empty, { recursive: true });
});

test('the command fails on broken JSON and names the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conform-'));
  writeFileSync(join(folder, 'credit.json'), '{"cases": [');
  const { status, output } = run(folder);
  expect(status).toBe(1);
  expect(output).toMatch(/credit .*FAILED/);
  expect(output).toContain('0 passed, 1 failed');
  rmSync(folder, { recursive: true });
});
