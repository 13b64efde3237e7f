/** Questions about kernels, carried to the backend and answered with one event. */
import type { Backend } from './backend.ts';
import { NoKernelsError } from './errors.ts';
import type { InspectionCommand, RunEvent } from './protocol.ts';

export type KernelQuestion = Extract<InspectionCommand, { kind: 'check-kernel' | 'try-kernel' }>;

/** @throws NoKernelsError; whatever the device throws */
export async function answerKernel(backend: Backend, question: KernelQuestion): Promise<RunEvent> {
  if (question.kind === 'try-kernel') {
    if (!backend.tryKernel) throw new NoKernelsError();
    return { kind: 'kernel-trial', ...(await backend.tryKernel(question)) };
  }
  if (!backend.checkKernel) throw new NoKernelsError();
  return { kind: 'kernel-check', ...(await backend.checkKernel(question.name, question.batch ?? null)) };
}
