/** A²TGPO: gains in belief, normalised per turn index, and a clip band that adapts to them. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TURN_LOSS, creditBy } from '../catalogue/defaults.ts';

export const a2tgpo: Algorithm = {
  name: 'a2tgpo',
  title: 'A²TGPO',
  family: 'related',
  description: 'Chains; turns are credited by information gain, and informative turns get a wider clip band.',
  paper: { title: 'A²TGPO', arxiv: '2605.06200' },
  evidence: 'code',
  caution: null,
  config: {
    name: 'a2tgpo',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, rule: 'exact_match' },
    filter: EVERY_GROUP,
    credit: { ...creditBy('a2tgpo'), mixing: 0.3 },
    loss: { ...TURN_LOSS, clipAdaptation: 0.3 },
  },
  sources: [
    { path: 'credit.mixing', source: 'released script, α = 0.3' },
    { path: 'loss.clipAdaptation', source: 'released script, 0.3' },
    { path: 'loss.clipLow', source: 'released script, 3e-3' },
    { path: 'loss.clipHigh', source: 'released script, 4e-3' },
  ],
  differences: [
    {
      topic: 'belief',
      paper: '–',
      code: 'change of the mean log-probability; a comment speaks of probability',
      here: 'code',
    },
    {
      topic: 'turn boundaries',
      paper: 'turns',
      code: 'where the advantage changes',
      here: 'turns, by their ids',
    },
    { topic: 'first search turn', paper: '–', code: 'gives the baseline and no gain', here: 'code' },
  ],
};
