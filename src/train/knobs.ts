/**
 * Every setting of a run that the page and the command line offer, with the paper's word for it.
 * Sources: [P] arXiv:2601.04767, [C] its released code at commit 98e60f6; an algorithm's own settings say theirs. Ranges are what is sensible;
 * what is valid at all is config.ts's to say.
 */
import { ADVANTAGE_RULE, EXPANSION_RULE, VALUE_RULE, type Rule } from '../algo/algorithm.ts';
import { algorithms } from '../algo/index.ts';
import type { KnobDescription, KnobRange, KnobValue } from './protocol.ts';

type Row = readonly [
  path: string,
  title: string,
  term: string,
  unit: string,
  paperDefault: KnobValue | null,
  source: string,
  range: KnobRange,
  description: string,
];

const integer = (min: number, max: number): KnobRange => ({ kind: 'integer', min, max });
const linear = (min: number, max: number): KnobRange => ({ kind: 'number', min, max, scale: 'linear' });
const logarithmic = (min: number, max: number): KnobRange => ({ kind: 'number', min, max, scale: 'log' });
const choice = (...options: string[]): KnobRange => ({ kind: 'choice', options });
const SWITCH: KnobRange = { kind: 'switch' };
const rule = ({ options }: Rule<string>): KnobRange => ({
  kind: 'choice',
  options: options.map(({ value }) => value),
  titles: options.map(({ title, formula }) => `${title}: ${formula}`),
});

const RUN: readonly Row[] = [
  [
    'seed',
    'Seed',
    '',
    '',
    null,
    'ours',
    integer(0, 2 ** 32 - 1),
    'Keys every random number of the run. The same seed on the same adapter gives the same run.',
  ],
  [
    'updates',
    'Updates',
    'steps',
    '',
    240,
    '[P] Table 4',
    integer(1, 1000),
    'Rollout batches; each is followed by one optimiser step per mini-batch.',
  ],
  [
    'promptsPerUpdate',
    'Prompts per update',
    'train batch size',
    'prompts',
    64,
    '[P] Table 4',
    integer(1, 128),
    'Questions of one update; each grows one tree.',
  ],
  [
    'promptsPerMinibatch',
    'Prompts per mini-batch',
    'mini-batch size',
    'prompts',
    8,
    '[P] Table 4',
    integer(1, 128),
    'Trees of one optimiser step. Divides the prompts per update. Ratios move only from the second mini-batch on.',
  ],
  [
    'temperature',
    'Temperature',
    'τ',
    '',
    1,
    '[C] rollout settings',
    linear(0.2, 2),
    'Divides the logits when sampling, and again when the trainer scores the tokens.',
  ],
];

type AlgorithmRow = readonly [
  path: string,
  title: string,
  term: string,
  unit: string,
  range: KnobRange,
  description: string,
];

/** Paper's default and source of these are the algorithm's own. */
const ALGORITHM: readonly AlgorithmRow[] = [
  [
    'rollout.initialBranches',
    'First turns',
    'M',
    'turns',
    integer(1, 16),
    'Chains started per tree before any expansion.',
  ],
  [
    'rollout.iterations',
    'Expansion rounds',
    'L',
    'rounds',
    integer(0, 4),
    'Rounds of picking turns and sampling siblings of them; 0 gives plain chains.',
  ],
  [
    'rollout.picks',
    'Picks per round',
    'K',
    'turns',
    integer(1, 12),
    'Turns picked in each round; each adds one sibling and one leaf.',
  ],
  [
    'rollout.leavesPerTree',
    'Leaves per tree',
    'samples per prompt',
    'leaves',
    integer(1, 64),
    'Rows per tree. M + L·K keeps every leaf; fewer prunes at random, more duplicates the last leaf.',
  ],
  [
    'rollout.siblingPenalty',
    'Sibling penalty',
    'α',
    'nats per sibling',
    linear(0, 1),
    'Taken off a turn’s entropy for each sibling it has, so that picks spread over the tree.',
  ],
  [
    'rollout.expansion',
    'Expand',
    EXPANSION_RULE.paperTerm,
    '',
    rule(EXPANSION_RULE),
    'Which turns are sampled again: the most uncertain ones, or any.',
  ],
  [
    'credit.leafNormalisation',
    'Normalise leaves',
    'r̂',
    '',
    SWITCH,
    'Rewards minus their mean over the tree’s leaves, divided by the population deviation.',
  ],
  [
    'credit.valueRule',
    'Value rule',
    VALUE_RULE.paperTerm,
    '',
    rule(VALUE_RULE),
    'How a turn’s value follows from what lies below it.',
  ],
  [
    'credit.advantageRule',
    'Advantage rule',
    ADVANTAGE_RULE.paperTerm,
    '',
    rule(ADVANTAGE_RULE),
    'What a turn is credited with, from the values around it.',
  ],
  [
    'loss.clipLow',
    'Clip below',
    'ε_low',
    '',
    logarithmic(1e-4, 0.5),
    'Turns with negative advantage stop pushing once their ratio is below 1 − ε_low. Goes with the learning rate.',
  ],
  [
    'loss.clipHigh',
    'Clip above',
    'ε_high',
    '',
    logarithmic(1e-4, 0.5),
    'Turns with positive advantage stop pushing once their ratio is above 1 + ε_high.',
  ],
  [
    'loss.logRatioCap',
    'Log-ratio cap',
    '',
    'nats',
    linear(1, 20),
    'Above it a turn’s ratio saturates and its gradient is zero.',
  ],
  [
    'loss.entropyCoefficient',
    'Entropy bonus',
    'c_ent',
    '',
    linear(0, 0.05),
    'Rewards spread-out token distributions; 0 turns it off.',
  ],
  [
    'loss.klCoefficient',
    'KL penalty',
    'c_kl',
    '',
    linear(0, 0.1),
    'Holds the policy near its starting point by the k3 estimate; 0 turns it off.',
  ],
];

const algorithmRow = ([path, title, term, unit, range, description]: AlgorithmRow): Row => {
  const [group, key] = path.split('.');
  const settings = algorithms.at2po.config as unknown as Readonly<
    Record<string, Readonly<Record<string, KnobValue>>>
  >;
  const source = algorithms.at2po.sources.find((entry) => entry.path === path)?.source ?? 'ours';
  return [`algorithm.${path}`, title, term, unit, settings[group][key], source, range, description];
};

const OPTIMISER: readonly Row[] = [
  [
    'optimiser.learningRate',
    'Learning rate',
    'lr',
    '',
    1e-6,
    '[P] Table 4',
    logarithmic(1e-6, 1e-2),
    'AdamW’s step. The paper’s suits billions of parameters; a tiny policy wants about 5e-4.',
  ],
  [
    'optimiser.beta1',
    'First moment decay',
    'β₁',
    '',
    0.9,
    '[C] fsdp_workers',
    linear(0, 0.999),
    'How long AdamW remembers the gradient.',
  ],
  [
    'optimiser.beta2',
    'Second moment decay',
    'β₂',
    '',
    0.999,
    '[C] fsdp_workers',
    linear(0, 0.9999),
    'How long AdamW remembers the squared gradient. Short runs want 0.99.',
  ],
  [
    'optimiser.weightDecay',
    'Weight decay',
    'λ',
    '',
    0.01,
    '[C] fsdp_workers',
    linear(0, 0.1),
    'Decoupled, on all parameters.',
  ],
  [
    'optimiser.gradientClip',
    'Gradient clip',
    'max norm',
    '',
    1,
    '[C] yaml',
    linear(0.1, 10),
    'Global norm above which the gradient is scaled down.',
  ],
];

const EVALUATION: readonly Row[] = [
  [
    'evaluation.every',
    'Evaluate every',
    '',
    'updates',
    null,
    'ours',
    integer(0, 100),
    '0 evaluates only before the first and after the last update.',
  ],
  [
    'evaluation.questions',
    'Held-out questions',
    '',
    'per data set',
    null,
    'ours',
    integer(0, 500),
    'Questions that training never sees, answered once by sampling and once greedily; 0 leaves evaluation out.',
  ],
];

/** What the knobs choose from, as far as it depends on the catalogues. */
export interface KnobChoices {
  readonly environments: readonly string[];
  readonly datasets: readonly string[];
}

/** All knobs, in the order of the page. */
export function describeKnobs(choices: KnobChoices): readonly KnobDescription[] {
  const task: readonly Row[] = [
    [
      'environment',
      'Environment',
      'task',
      '',
      null,
      'ours',
      choice(...choices.environments),
      'The world that the policy acts in.',
    ],
    [
      'datasets',
      'Training data',
      'data sets',
      '',
      null,
      '[P] Sec. 5.1 (analogues)',
      { kind: 'choices', options: choices.datasets },
      'Families of questions, taken in turn.',
    ],
    [
      'evaluation.datasets',
      'Held-out data',
      'data sets',
      '',
      null,
      'ours',
      { kind: 'choices', options: choices.datasets },
      'Families of questions that evaluation asks.',
    ],
  ];
  return [...RUN, ...task, ...ALGORITHM.map(algorithmRow), ...OPTIMISER, ...EVALUATION].map(
    ([path, title, term, unit, paperDefault, source, range, description]) => ({
      path,
      title,
      term,
      unit,
      description,
      paperDefault,
      source,
      range,
    }),
  );
}
