/** Names that a log is made of, without what is valid of it: the page needs them before it reads one. */

/** The phases of one update, in order. */
export const PHASES = ['rollout', 'reward', 'value', 'advantage', 'loss', 'step'] as const;

/**
 * What one token id of a record stands for: a token of the environment's vocabulary, a token of another policy's, or, where a
 * file holds text alone, a word with the white space before it. The last two are told by `texts` events.
 */
export const TOKEN_UNITS = ['vocabulary', 'tokens', 'words'] as const;

/** Kinds of the events that a run's log holds, in the order of log.ts. */
export const LOGGED_KINDS = [
  'run-started',
  'texts',
  'update-started',
  'prompts-added',
  'phase',
  'node',
  'expansion',
  'leaves',
  'rollout-facts',
  'rewards',
  'groups-dropped',
  'credit',
  'loss',
  'step',
  'metrics',
  'update-ended',
  'evaluation',
  'remembered',
  'status',
  'failed',
] as const;
export type LoggedKind = (typeof LOGGED_KINDS)[number];

/** What a shelf tells of a run, and what its result is made of. */
const HEADLINES: readonly string[] = ['run-started', 'evaluation', 'metrics'] satisfies readonly LoggedKind[];

export const isHeadline = ({ kind }: { readonly kind: string }): boolean => HEADLINES.includes(kind);
