/** The engine's answer to an intervention, without an engine: the scripted policy writes the turns. */
import { environments } from '../../src/env/index.ts';
import { intervene } from '../../src/train/inspect/intervention.ts';
import type { InterventionEvent, InterventionQuestion, RunCommand } from '../../src/protocol/protocol.ts';
import { trainingPrompts } from '../../src/train/run/prompts.ts';
import { ScriptedPolicy } from './scripted_policy.ts';

/** @param sent commands of the page; the last intervention is answered */
export async function answerByHand(sent: readonly RunCommand[]): Promise<InterventionEvent> {
  const question = sent.findLast(({ kind }) => kind === 'intervene') as unknown as InterventionQuestion;
  const { config } = question;
  const environment = environments.search;
  const policy = new ScriptedPolicy({
    environment,
    promptsOf: ({ update }) =>
      trainingPrompts(environment, config.datasets, config.promptsPerUpdate, { seed: config.seed, update }),
  });
  const grown = await intervene(policy, environment, question);
  const wrote = { parameters: 'starting', update: 0, stepped: false, status: 'idle' } as const;
  return { kind: 'intervention', ...grown, policy: wrote, ms: 1 };
}
