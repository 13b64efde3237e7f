/** A mini-batch of a scripted run, as its log has it. */
import type { KernelBatch, RunEvent } from '../../src/protocol/protocol.ts';
import { scriptedRun, smallConfig } from './scripted_run.ts';

type Of<Kind extends RunEvent['kind']> = Extract<RunEvent, { kind: Kind }>;

/** The last mini-batch of the first update: by then the policy has moved away from the one that sampled. */
export async function loggedBatch(): Promise<KernelBatch> {
  const log = await scriptedRun(smallConfig({ updates: 1 }));
  const { config } = log.find((event): event is Of<'run-started'> => event.kind === 'run-started')!;
  const { update, minibatch, rows } = log.findLast((event): event is Of<'loss'> => event.kind === 'loss')!;
  return { config: config!, update, minibatch, rows };
}
