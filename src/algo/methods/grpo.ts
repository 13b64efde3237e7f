/** GRPO, the policy that it starts from, and what changes its groups or its reduction: DAPO, Dr. GRPO, StarPO-S. */
import type { Algorithm } from '../catalogue/algorithm.ts';
import { CHAINS, EVERY_GROUP, PLAIN_REWARD, TOKEN_LOSS, creditBy } from '../catalogue/defaults.ts';

/** ReAct: the policy as it is, asked but never trained. */
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

/** GRPO: chains of one prompt compared with each other, PPO with dual clip on token ratios. */
export const grpo: Algorithm = {
  name: 'grpo',
  title: 'GRPO',
  family: 'table',
  description:
    'Independent chains; every token of a chain gets its reward standardised within the prompt’s group.',
  paper: {
    title: 'DeepSeekMath: Pushing the Limits of Mathematical Reasoning in Open Language Models',
    arxiv: '2402.03300',
  },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'grpo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, klCoefficient: 0.001 },
  },
  sources: [
    { path: 'rollout.leavesPerTree', source: 'AT²PO’s comparison, Sec. 5.1: 16 rollouts per prompt' },
    { path: 'credit.advantageRule', source: 'released code, compute_grpo_outcome_advantage' },
    { path: 'loss.clipLow', source: 'AT²PO, Table 4 (0.2)' },
    { path: 'loss.clipHigh', source: 'AT²PO, Table 4 (0.2)' },
    { path: 'loss.dualClip', source: 'released code, clip_ratio_c' },
    { path: 'loss.klCoefficient', source: 'AT²PO’s released script, 0.001' },
  ],
  differences: [
    { topic: 'dual clip', paper: 'none', code: 'c = 3', here: 'code; 0 turns it off' },
    {
      topic: 'reduction',
      paper: 'mean over each sequence, then over sequences',
      code: 'token-mean',
      here: 'code; loss.reduction changes it',
    },
  ],
};

/** DAPO: GRPO with a higher upper clip, groups that all earned the same replaced, long answers penalised, no KL. */
export const dapo: Algorithm = {
  name: 'dapo',
  title: 'DAPO',
  family: 'table',
  description:
    'GRPO with clip-higher, token mean, dynamic sampling (at its real generation cost) and overlong shaping.',
  paper: { title: 'DAPO: An Open-Source LLM Reinforcement Learning System at Scale', arxiv: '2503.14476' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'dapo',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, overlongBuffer: 16 },
    filter: { rule: 'dynamic_sampling', generationBatches: 2, keptShare: 1 },
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, clipHigh: 0.28 },
  },
  sources: [
    { path: 'loss.clipHigh', source: 'paper, clip-higher (0.28)' },
    { path: 'loss.reduction', source: 'paper, token-level loss' },
    { path: 'filter.rule', source: 'paper, dynamic sampling' },
    { path: 'filter.generationBatches', source: 'released script, max_num_gen_batches' },
    { path: 'reward.overlongBuffer', source: 'paper 2,000 of 6,192 tokens; ours a sixth of the context' },
    { path: 'loss.dualClip', source: 'released code 3; the DAPO recipe uses 10' },
  ],
  differences: [
    { topic: 'dual clip', paper: 'not mentioned', code: 'c = 3 here, 10 in the recipe', here: '3' },
    {
      topic: 'after the last generation batch',
      paper: 'waits until enough groups vary',
      code: 'fills up with discarded groups',
      here: 'code',
    },
  ],
};

/** Dr. GRPO: GRPO without dividing by the deviation and without length weights. */
export const drGrpo: Algorithm = {
  name: 'dr_grpo',
  title: 'Dr. GRPO',
  family: 'variant',
  description:
    'Rewards minus the group’s mean; every token of the batch weighs the same, whatever its row’s length.',
  paper: { title: 'Understanding R1-Zero-Like Training: A Critical Perspective', arxiv: '2503.20783' },
  evidence: 'reference',
  caution: null,
  config: {
    name: 'dr_grpo',
    rollout: CHAINS,
    reward: PLAIN_REWARD,
    filter: EVERY_GROUP,
    credit: creditBy('dr_grpo'),
    loss: { ...TOKEN_LOSS, dualClip: 0, reduction: 'seq-mean-token-sum-norm' },
  },
  sources: [
    { path: 'credit.advantageRule', source: 'paper; released code without std' },
    { path: 'loss.reduction', source: 'paper: a constant in place of the length' },
  ],
  differences: [],
};

/** StarPO-S: only the groups whose rewards spread most are trained on. */
export const starpoS: Algorithm = {
  name: 'starpo_s',
  title: 'StarPO-S',
  family: 'related',
  description:
    'GRPO on whole interactions, keeping the quarter of prompts with the widest rewards; no KL, a higher upper clip.',
  paper: {
    title: 'RAGEN: Understanding Self-Evolution in LLM Agents via Multi-Turn Reinforcement Learning',
    arxiv: '2504.20073',
  },
  evidence: 'code',
  caution: null,
  config: {
    name: 'starpo_s',
    rollout: CHAINS,
    reward: { ...PLAIN_REWARD, turnPenalty: 0.1 },
    filter: { rule: 'reward_spread', generationBatches: 1, keptShare: 0.25 },
    credit: creditBy('vanilla'),
    loss: { ...TOKEN_LOSS, clipHigh: 0.28, entropyCoefficient: 0.001 },
  },
  sources: [
    { path: 'filter.keptShare', source: 'paper, top 25 %' },
    { path: 'loss.clipHigh', source: 'paper, 0.28' },
    { path: 'reward.turnPenalty', source: 'released code, −0.1' },
    { path: 'loss.entropyCoefficient', source: 'released code, 0.001' },
  ],
  differences: [{ topic: 'baseline', paper: 'a critic', code: 'critic or group', here: 'group' }],
};
