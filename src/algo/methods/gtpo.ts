/** GTPO: returns of turns, with a small penalty for calls that fail. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const gtpo: Algorithm = {
  name: 'gtpo',
  title: 'GTPO',
  family: 'related',
  description:
    'Each turn gets the discounted return of what follows; failed calls cost a little; failed rows earn by their likeness to good ones.',
  paper: {
    title: 'Empowering Multi-Turn Tool-Integrated Reasoning with Group Turn Policy Optimization',
    arxiv: '2511.14846',
  },
  evidence: 'uncertain',
  caution:
    'No author code was found. Whether returns are standardised over the prompt or over prompt and turn is not established; here over the prompt.',
  config: {
    name: 'gtpo',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, rule: 'exact_match', turnPenalty: 0.1 },
    filter: EVERY_GROUP,
    credit: { ...creditBy('gtpo'), discount: 0.9, mixing: 0.5 },
    loss: TOKEN_LOSS,
  },
  sources: [
    { path: 'credit.discount', source: 'implementations seen, γ = 0.9' },
    { path: 'reward.turnPenalty', source: 'implementations seen, 0.1' },
    { path: 'credit.mixing', source: 'implementations seen, α = 0.5 of the similarity reward' },
  ],
  differences: [
    {
      topic: 'likeness of failed rows',
      paper: 'cosine of embeddings of their code',
      code: 'not released',
      here: 'cosine of the words of their queries',
    },
    {
      topic: 'group of the returns',
      paper: 'not established',
      code: 'not released',
      here: 'the prompt; gtpo_by_turn takes prompt and turn',
    },
  ],
};
