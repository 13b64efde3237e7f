/**
 * Every setting of a run that the page and the command line offer, with the paper's word for it.
 * Sources: [P] arXiv:2601.04767, [C] its released code at commit 98e60f6; an algorithm's own settings say theirs. Ranges are what is sensible;
 * what is valid at all is config.ts's to say.
 */
import type { KnobDescription, KnobRange, KnobValue } from '../../protocol/protocol.ts';
import { ALGORITHM_KNOBS, choice, integer, linear, logarithmic } from './algorithm_knobs.ts';

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

const describe = ([
  path,
  title,
  term,
  unit,
  paperDefault,
  source,
  range,
  description,
]: Row): KnobDescription => ({
  path,
  title,
  term,
  unit,
  description,
  paperDefault,
  source,
  range,
  when: [],
});

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
  return [
    ...[...RUN, ...task].map(describe),
    ...ALGORITHM_KNOBS,
    ...[...OPTIMISER, ...EVALUATION].map(describe),
  ];
}
