import { expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { runLab, type LabProgress } from '../../src/train/engine/lab.ts';
import { editLabel, withKernel, type RunConfig } from '../../src/units.ts';
import { tinyRun } from '../support/tiny_run.ts';

const { source } = kernels.policy_loss;
const WRITE = 'dlogProb[s] = token.y * term.gradient;';

const edited = (text: string): RunConfig =>
  withKernel(tinyRun(2), { name: 'policy_loss', source: text, gradientCheck: 'unchecked' });

test.each([
  ['agrees', source.replace(WRITE, `${WRITE} // edited`)],
  ['differs', source.replace(WRITE, 'dlogProb[s] = 2.0 * token.y * term.gradient;')],
] as const)(
  'the command line checks the gradient of an edited kernel before the run: it %s, and the result says so',
  async (verdict, text) => {
    const said: LabProgress[] = [];
    const config = edited(text);
    const { result } = await runLab(config, null, (progress) => said.push(progress));
    const label = editLabel({ ...config.editedKernel!, gradientCheck: verdict });
    expect(result.edited).toBe(label);
    expect(result.config.editedKernel?.gradientCheck).toBe(verdict);
    expect(said[0]).toMatchObject({ kind: 'note', text: label });
    expect(result.updates).toHaveLength(1);
  },
);

test('the command line refuses an edit that does not compile, with its line', async () => {
  const lines = source.replace(WRITE, 'dlogProb[s] = nothing;').split('\n');
  const line = lines.findIndex((each) => each.includes('= nothing;')) + 1;
  await expect(runLab(edited(lines.join('\n')), null, () => undefined)).rejects.toThrow(
    `policy_loss.wgsl:${line}`,
  );
});
