/** The engine's answer to an intervention, without an engine: the scripted policy writes the turns. */
import { environments } from '../../src/env/index.ts';
import { intervene } from '../../src/train/inspect/intervention.ts';
import type { InterventionAnswer, InterventionQuestion } from '../../src/protocol/protocol.ts';
import { trainingPrompts } from '../../src/train/run/prompts.ts';
import { ScriptedPolicy } from './scripted_policy.ts';

export async function answerByHand(question: InterventionQuestion): Promise<InterventionAnswer> {
  const { config } = question;
  const environment = environments.search;
  const policy = new ScriptedPolicy({
    environment,
    promptsOf: ({ update }) =>
      trainingPrompts(environment, config.datasets, config.promptsPerUpdate, { seed: config.seed, update }),
  });
  const grown = await intervene(policy, environment, question);
  const wrote = { parameters: 'starting', update: 0, stepped: false, status: 'idle' } as const;
  return { ...grown, policy: wrote, ms: 1 };
}
