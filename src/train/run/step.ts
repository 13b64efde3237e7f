/** Phase step: the optimiser goes along the gradients that the phase loss left. Parameters of the policy change here alone. */
import type { CheckedStep } from '../../protocol/protocol.ts';
import type { StepResult } from '../../units.ts';
import { checkStep } from '../inspect/step_check.ts';
import type { Backpropagated } from './loss.ts';
import type { Update } from './update.ts';

/** @param checked takes the check of the step; null where none was asked for */
export async function takeStep(
  { run, update }: Update,
  { minibatch, batch, inputs, loss }: Backpropagated,
  checked: CheckedStep[] | null,
): Promise<StepResult> {
  const { policy, post, config } = run;
  const { learningRate } = config.optimiser;
  const before = checked && (await policy.parameters());
  const step = await policy.step(config.optimiser);
  post({ kind: 'step', update, minibatch, ...step });
  const edited = config.editedKernel !== undefined;
  if (before)
    checked.push(await checkStep(policy, { minibatch, batch, inputs, learningRate, before, loss, edited }));
  return step;
}
