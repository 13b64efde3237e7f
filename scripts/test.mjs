// `npm test`: every test — Node, WebGPU in the browser, end to end, the lab in Firefox where there is one, and beside them the
// kernels again on wgpu/naga, whose words come after Vitest's — then one closing line 'N passed, N failed' over all of
// them. Exits non-zero on any failure.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { runAside } from './aside.mjs';
import { findFirefox, WANTED } from './firefox.mjs';

const REPORT = '.cache/vitest.json';

const { lack } = findFirefox();

async function vitest() {
  mkdirSync('.cache', { recursive: true });
  rmSync(REPORT, { force: true });
  const args = ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  if (lack) args.push('--project=!firefox');
  const shell = process.platform === 'win32';
  const [status] = await once(spawn('npx', ['--no-install', ...args], { stdio: 'inherit', shell }), 'close');
  const report = JSON.parse(readFileSync(REPORT, 'utf8'));
  const failed = report.numFailedTests + report.testResults.filter(brokeBeforeItsTests).length;
  return {
    name: 'vitest',
    passed: report.numPassedTests,
    failed: status === 0 ? failed : Math.max(1, failed),
  };
}

/** A file that failed without a failing test (its import or a hook threw) counts as one failure. */
const brokeBeforeItsTests = (file) =>
  file.status === 'failed' && !file.assertionResults.some((assertion) => assertion.status === 'failed');

async function naga() {
  const { status, output } = await runAside('node', ['scripts/naga.mjs']);
  const [, passed = 0, failed = 0] = output.match(/^(\d+) passed, (\d+) failed\s*$/m)?.map(Number) ?? [];
  const counts = { passed, failed: status === 0 ? failed : Math.max(1, failed) };
  return { name: 'kernels on wgpu/naga', ...counts, output };
}

const results = await Promise.all([vitest(), naga()]);
const total = (field) => results.reduce((sum, result) => sum + result[field], 0);
for (const { name, output } of results) if (output) console.log(`\n── ${name}\n${output.trimEnd()}`);
console.log('');
if (lack) console.log(`Firefox: ${lack}, so \`npm run test:firefox\` was not run; wanted: ${WANTED}.`);
for (const result of results) console.log(`${result.name}: ${result.passed} passed, ${result.failed} failed`);
console.log(`\n${total('passed')} passed, ${total('failed')} failed`);
process.exit(total('failed') === 0 && total('passed') > 0 ? 0 : 1);
