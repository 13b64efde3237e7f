/** ReAct: the policy as it is, asked but never trained. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const react: Algorithm = {
  name: 'react',
  title: 'ReAct',
  family: 'table',
  description:
    'No training: the starting policy prompts itself through the tools. The line that every method starts from.',
  paper: { title: 'ReAct: Synergizing Reasoning and Acting in Language Models', arxiv: '2210.03629' },
  evidence: 'code',
  caution: null,
  config: {
    name: 'react',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, surrogate: 'none' },
  },
  sources: [{ path: 'loss.surrogate', source: 'evaluation only, paper comparison' }],
  differences: [],
};
