// `npm test`: every test — Node, WebGPU in the browser, end to end, and the kernels again on wgpu/naga —
// then one closing line 'N passed, N failed' over all of them. Exits non-zero on any failure.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';

const REPORT = '.cache/vitest.json';

/** Runs a command in the foreground; with capture, its standard output is returned as well as shown. */
function run(command, args, capture = false) {
  const result = spawnSync(command, args, {
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
    shell: process.platform === 'win32',
    maxBuffer: 1 << 28,
  });
  const output = result.stdout?.toString() ?? '';
  if (capture) process.stdout.write(output);
  return { status: result.status ?? 1, output };
}

function vitest() {
  mkdirSync('.cache', { recursive: true });
  rmSync(REPORT, { force: true });
  const { status } = run('npx', [
    '--no-install',
    'vitest',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${REPORT}`,
  ]);
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

function naga() {
  const { status, output } = run('node', ['scripts/naga.mjs'], true);
  const [, passed = 0, failed = 0] = output.match(/^(\d+) passed, (\d+) failed\s*$/m)?.map(Number) ?? [];
  return { name: 'kernels on wgpu/naga', passed, failed: status === 0 ? failed : Math.max(1, failed) };
}

const results = [vitest(), naga()];
const total = (field) => results.reduce((sum, result) => sum + result[field], 0);
console.log('');
for (const result of results) console.log(`${result.name}: ${result.passed} passed, ${result.failed} failed`);
console.log(`\n${total('passed')} passed, ${total('failed')} failed`);
process.exit(total('failed') === 0 && total('passed') > 0 ? 0 : 1);
