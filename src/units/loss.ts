/**
 * Every setting of the loss, said once: what is valid, what a method that does not set it has, how the page shows it and
 * which surrogates read it. `LossConfig`, its schema, its knobs, the defaults of methods and the params of kernels follow.
 * A number that a surrogate's term reads is a row here, its arithmetic in algo/loss/loss_terms.ts and in the shader.
 */

export const RATIO_LEVELS = ['token', 'turn', 'sequence'] as const;
/** Over which tokens the log-ratio is averaged. */
export type RatioLevel = (typeof RATIO_LEVELS)[number];

export const SURROGATES = ['clip', 'gate', 'regression', 'preference', 'none'] as const;
/** What a token makes of ratio and advantage: PPO's clip, SAPO's gate, A*-PO's regression, DPO; none trains nothing. */
export type Surrogate = (typeof SURROGATES)[number];

/** At a hard bound the gradient is 0; at a soft one it is that of the bound itself. */
export const CLIP_EDGES = ['hard', 'soft'] as const;
export type ClipEdge = (typeof CLIP_EDGES)[number];

export const KL_KINDS = ['k1', 'abs', 'k2', 'k3'] as const;
export type KlKind = (typeof KL_KINDS)[number];

export const LOSS_REDUCTIONS = [
  'token-mean',
  'seq-mean-token-mean',
  'seq-mean-token-sum',
  'seq-mean-token-sum-norm',
] as const;
/** Weight of a token in the loss, named as in verl. */
export type LossReduction = (typeof LOSS_REDUCTIONS)[number];

interface Words {
  readonly title: string;
  readonly term?: string; // the paper's symbol or term
  readonly unit?: string; // dimensionless if absent
  readonly description: string;
  readonly readBy?: readonly Surrogate[]; // absent: all of them, or what stands beside the surrogate
  readonly isReadElsewhere?: true; // by more than surrogates: always shown
  readonly ofSoft?: 'lowerEdge' | 'upperEdge'; // shown where this bound is soft
  readonly basic?: true; // among the settings that are shown before all are asked for
  readonly isNewer?: true; // files older than the setting have the default
}
interface NumberRow extends Words {
  readonly default: number;
  readonly valid: readonly [min: number, max: number];
  readonly shown: readonly [scale: 'linear' | 'log', min: number, max: number]; // what is sensible
}
interface ChoiceRow extends Words {
  readonly default: string;
  readonly options: readonly string[];
}
interface SwitchRow extends Words {
  readonly default: boolean;
}
export type LossRow = NumberRow | ChoiceRow | SwitchRow;

const OF_RATIOS: readonly Surrogate[] = ['clip', 'gate'];

/** Choices of a surrogate's term. Defaults are AT²PO's: turn ratios in a narrow band. */
// prettier-ignore
const TERM_CHOICES = {
  surrogate: { default: 'clip', options: SURROGATES, title: 'Surrogate', term: 'ℓ', description: 'What a token makes of ratio and advantage.' },
  ratioLevel: { default: 'turn', options: RATIO_LEVELS, readBy: OF_RATIOS, title: 'Ratio level', term: 'ρ', description: 'Over which tokens the log-ratio is averaged.' },
  lowerEdge: { default: 'hard', options: CLIP_EDGES, readBy: ['clip'], title: 'Lower bound', description: 'At a soft bound the gradient is that of the bound, at a hard one it is 0.' },
  upperEdge: { default: 'hard', options: CLIP_EDGES, readBy: ['clip'], title: 'Upper bound', description: 'At a soft bound the gradient is that of the bound, at a hard one it is 0.' },
} as const satisfies Readonly<Record<string, LossRow>>;

/** Numbers that a surrogate's term reads; the kernel's params have the same names. Defaults of what AT²PO has not: off. */
// prettier-ignore
const TERM_NUMBER_ROWS = {
  clipLow: { default: 3e-3, basic: true, valid: [0, 1], shown: ['log', 1e-4, 0.5], readBy: ['clip'], title: 'Clip below', term: 'ε_low', description: 'Negative advantages stop pushing once their ratio is below 1 − ε_low. Goes with the learning rate.' },
  clipHigh: { default: 4e-3, basic: true, valid: [0, 1000], shown: ['log', 1e-4, 0.5], readBy: ['clip'], title: 'Clip above', term: 'ε_high', description: 'Positive advantages stop pushing once their ratio is above 1 + ε_high.' },
  lowerFactor: { default: 1, isNewer: true, valid: [0, 10], shown: ['linear', 0, 1], readBy: ['clip'], ofSoft: 'lowerEdge', title: 'Lower bound keeps', term: 'β₁', description: 'Share of the gradient that a soft lower bound keeps: 1 is GPPO, 0 PPO; CE-GPPO reports 0.75 as its best.' },
  upperFactor: { default: 1, isNewer: true, valid: [0, 10], shown: ['linear', 0, 1], readBy: ['clip'], ofSoft: 'upperEdge', title: 'Upper bound keeps', term: 'β₂', description: 'Share of the gradient that a soft upper bound keeps: 1 is GPPO and CE-GPPO’s best, 0 PPO.' },
  dualClip: { default: 0, valid: [0, 1000], shown: ['linear', 0, 20], readBy: ['clip'], title: 'Dual clip', term: 'c', description: 'Most that a token with negative advantage may cost, in units of −A; 0 turns it off.' },
  // Beyond 30, the squares of e^cap · A leave no finite norm.
  logRatioCap: { default: 10, valid: [1e-6, 30], shown: ['linear', 1, 20], readBy: OF_RATIOS, unit: 'nats', title: 'Log-ratio cap', description: 'Above it the ratio saturates and its gradient is zero.' },
  // The loss divides by them: below 1e-3 it no longer tells ratios apart.
  gatePositive: { default: 1, valid: [1e-3, 100], shown: ['linear', 0.1, 5], readBy: ['gate'], title: 'Gate, A > 0', term: 'τ_pos', description: 'Steepness of the gate for positive advantages.' },
  gateNegative: { default: 1.05, valid: [1e-3, 100], shown: ['linear', 0.1, 5], readBy: ['gate'], title: 'Gate, A ≤ 0', term: 'τ_neg', description: 'Steepness of the gate for the others.' },
} as const satisfies Readonly<Record<string, NumberRow>>;

/** What stands round the term: β of whole rows, factors of advantage, band and ratio, weights of tokens, penalties. */
// prettier-ignore
const AROUND = {
  // A factor of the whole gradient, beside AdamW's epsilon.
  beta: { default: 1e-3, valid: [1e-6, 100], shown: ['log', 1e-4, 1], readBy: ['regression', 'preference'], isReadElsewhere: true, title: 'Beta', term: 'β', description: 'Scale of the log-ratio in regression and preference, and of iStar’s implicit rewards.' },
  entropyAdvantage: { default: 0, valid: [0, 10], shown: ['linear', 0, 1], readBy: OF_RATIOS, title: 'Entropy-balanced advantage', description: 'Advantages of uncertain tokens are raised by this share per deviation (AEPO 0.2).' },
  clipAdaptation: { default: 0, valid: [0, 1], shown: ['linear', 0, 1], readBy: ['clip'], title: 'Adaptive band', description: 'The band of a turn widens or narrows by this share with its gain (A²TGPO 0.3).' },
  retrievalRatio: { default: 0, valid: [0, 10], shown: ['linear', 0, 1], readBy: OF_RATIOS, title: 'Retrieval ratio', term: 'm', description: 'Ratios of rows with borrowed steps are raised by this times their share (RAPO 0.05).' },
  formatMask: { default: false, title: 'Spare format tokens', term: 'M_t', description: 'Words of the grammar are not pushed down by failing rows (DialTree).' },
  reduction: { default: 'seq-mean-token-mean', options: LOSS_REDUCTIONS, title: 'Reduction', term: 'loss_agg_mode', description: 'How tokens weigh in the loss.' },
  entropyCoefficient: { default: 0, valid: [0, 10], shown: ['linear', 0, 0.05], title: 'Entropy bonus', term: 'c_ent', description: 'Rewards spread-out token distributions; 0 turns it off.' },
  klCoefficient: { default: 0, valid: [0, 10], shown: ['linear', 0, 0.1], title: 'KL penalty', term: 'c_kl', description: 'Holds the policy near its starting point; 0 turns it off.' },
  klKind: { default: 'k3', options: KL_KINDS, title: 'KL estimate', term: 'k', description: 'Which estimate of the divergence is penalised.' },
} as const satisfies Readonly<Record<string, LossRow>>;

export const LOSS_ROWS = { ...TERM_CHOICES, ...TERM_NUMBER_ROWS, ...AROUND } as const;

type ValueOf<Row> = Row extends { readonly options: readonly (infer Option)[] }
  ? Option
  : Row extends { readonly valid: unknown }
    ? number
    : boolean;

/** The loss of a run; what each setting means stands in its row. */
export type LossConfig = { readonly [Name in keyof typeof LOSS_ROWS]: ValueOf<(typeof LOSS_ROWS)[Name]> };

export type TermNumber = keyof typeof TERM_NUMBER_ROWS;
export const TERM_NUMBERS = Object.keys(TERM_NUMBER_ROWS) as readonly TermNumber[];

/** AT²PO's loss; what it does not use is off. */
export const DEFAULT_LOSS = Object.fromEntries(
  Object.entries(LOSS_ROWS).map(([name, row]) => [name, row.default]),
) as unknown as LossConfig;

type Read<Table> = {
  [Name in keyof Table]: Table[Name] extends { readonly readBy: unknown } ? Name : never;
}[keyof Table];
/** A setting that some surrogates read and others do not. */
export type SurrogateSetting = Read<typeof LOSS_ROWS>;

/** The settings that a surrogate reads; another changes nothing. */
export const settingsOfSurrogate = (surrogate: Surrogate): readonly SurrogateSetting[] =>
  Object.entries<LossRow>(LOSS_ROWS)
    .filter(([, { readBy }]) => readBy?.includes(surrogate))
    .map(([name]) => name as SurrogateSetting);
