/** Of two texts of a kernel, the one that is checked and the one that is written meanwhile. */
import { expect, test } from 'vitest';
import type { KernelTrial } from '../../src/protocol/protocol.ts';
import { createInspection } from '../../src/store/ask/inspection.ts';
import type { Ask } from '../../src/train/inspect/index.ts';

const trialOf = (source: string): KernelTrial => ({
  ...{ name: 'policy_loss', source, problems: [] },
  ...{ batch: null, gradients: null, loss: null, ms: 0 },
});

/** An engine that answers when it is told to. */
function slowEngine() {
  const answers = new Map<string, () => void>();
  const ask = ((question: { source: string }) =>
    new Promise((resolve) =>
      answers.set(question.source, () => resolve(trialOf(question.source))),
    )) as unknown as Ask; // asked to try a kernel, and nothing else
  const inspection = createInspection(ask, (failure) => expect.unreachable(failure.what));
  const answer = async (source: string) => {
    answers.get(source)!();
    await Promise.resolve().then(() => undefined);
    return inspection.getState();
  };
  return { inspection, answer };
}

const question = (source: string, checkGradient: boolean) => ({
  ...{ name: 'policy_loss' as const, source, batch: null, checkGradient },
});

test('a check that ends after a later text was compiled leaves that text compiled', async () => {
  const { inspection, answer } = slowEngine();
  inspection.tryKernel(question('first', true));
  inspection.tryKernel(question('second', false));
  expect((await answer('second')).compiled?.source).toBe('second');
  const { compiled, kernelTrial, asking } = await answer('first');
  expect([compiled?.source, kernelTrial?.source, asking]).toEqual(['second', 'first', null]);
});

test('what a check found in a text that compiles is said of it, and of the first text of all', async () => {
  const { inspection, answer } = slowEngine();
  inspection.tryKernel(question('first', true));
  const { compiled, kernelTrial } = await answer('first');
  expect(compiled).toBe(kernelTrial);
  inspection.tryKernel(question('first', true));
  const again = await answer('first');
  expect(again.compiled).toBe(again.kernelTrial);
  expect(again.compiled).not.toBe(compiled);
});
