import { expect, test } from 'vitest';
import { kernels } from '../../shaders/index.ts';
import { runLab, type LabProgress } from '../../src/train/lab.ts';
import { presets } from '../../src/train/presets.ts';
import { editLabel, withKernel, type RunConfig } from '../../src/units.ts';

const { source } = kernels.policy_loss;
const WRITE = 'dlogProb[s] = token.y * term.gradient;';

/** Random parameters, 2 prompts, one update: seconds on a CPU adapter. */
function edited(text: string): RunConfig {
  const { config } = presets.get('corridor')!; // a preset of the catalogue
  const { algorithm } = config;
  const small: RunConfig = {
    ...config,
    model: { ...config.model, channels: 16, heads: 2, kvHeads: 1, headSize: 8, hidden: 24 },
    updates: 1,
    promptsPerUpdate: 2,
    promptsPerMinibatch: 1,
    algorithm: {
      ...algorithm,
      rollout: { ...algorithm.rollout, initialBranches: 2, iterations: 1, picks: 2, leavesPerTree: 4 },
      credit: { ...algorithm.credit, leafNormalisation: false },
    },
    evaluation: { every: 0, questions: 2, datasets: ['corridor'] },
  };
  return withKernel(small, { name: 'policy_loss', source: text, gradientCheck: 'unchecked' });
}

test.each([
  ['agrees', source.replace(WRITE, `${WRITE} // edited`)],
  ['differs', source.replace(WRITE, 'dlogProb[s] = 2.0 * token.y * term.gradient;')],
] as const)(
  'the command line checks the gradient of an edited kernel before the run: it %s, and the result says so',
  async (verdict, text) => {
    const said: LabProgress[] = [];
    const config = edited(text);
    const { result } = await runLab(config, false, (progress) => said.push(progress));
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
  await expect(runLab(edited(lines.join('\n')), false, () => undefined)).rejects.toThrow(
    `policy_loss.wgsl:${line}`,
  );
});
