/** What a reader of somebody else's rollouts can be told about them: what each view can show, and what to switch on for more. Pure. */
import type { ImportSummary } from '../../protocol/protocol.ts';
import { countWords } from '../../units.ts';
import { VIEWS, type View } from '../place/selection.ts';
import { missingIn, type Asked } from './needs.ts';

export type {
  ImportChoices,
  ImportLint,
  ImportLook,
  ImportSummary,
  RecordPlace,
  StepSummary,
} from '../../protocol/protocol.ts';

export interface ViewWords {
  readonly view: View;
  readonly shows: string;
  readonly missing: readonly string[];
}

const SHOWS: Readonly<Partial<Record<View, string>>> = {
  train: 'this account of the file, and its steps as curves',
  tree: 'a tree for each group, every turn in its words',
  credit: 'values and advantages under every rule, computed here from trees and rewards',
  loss: 'answers to questions about the rollouts: why nothing is learnt, masks, turn boundaries, sampler against trainer, tool use',
  compare: 'two rules side by side, and the turns where they part',
};

/** By view: what it shows of the record, and what it cannot. Runs is of no record. */
export const viewsOf = (asked: Asked): readonly ViewWords[] =>
  VIEWS.filter((view) => view !== 'runs' && view !== 'experiments').map((view) => ({
    view,
    shows: SHOWS[view] ?? 'nothing',
    missing: missingIn(view, asked),
  }));

/** What of an update stands in its file alone, where it is, and what waits for it. */
export interface Rest {
  readonly update: number;
  readonly file: string;
  readonly elsewhere: { readonly groups: number; readonly rollouts: number };
  readonly isAtHand: boolean; // this tab has the file
  readonly changes: number; // by hand, of its trees
}

export const partWords = ({
  elsewhere: { groups, rollouts },
  update,
}: Pick<Rest, 'elsewhere' | 'update'>): string =>
  `${countWords(groups, 'group')} (${countWords(rollouts, 'rollout')}) of update ${update}`;

/** "3 groups (6 rollouts) of update 4 stand in long.jsonl alone. …" */
export function elsewhereWords(rest: Rest): string {
  const { file, isAtHand, changes, elsewhere } = rest;
  const where = `${partWords(rest)} ${elsewhere.groups === 1 ? 'stands' : 'stand'} in ${file} alone.`;
  const advice = isAtHand ? '' : ' The page keeps no files: open the file again to look at them.';
  const waiting = changes === 0 ? '' : ` ${countWords(changes, 'change')} of its trees by hand ${changes === 1 ? 'is' : 'are'} kept, and made again when they are read.`; // prettier-ignore
  return `${where}${advice}${waiting}`;
}

/** What a question about rollouts may lack. */
export type Lack = 'reward' | 'groups' | 'ids' | 'masks' | 'sampler' | 'trainer' | 'contexts';

export interface Advice {
  readonly set: string; // in the trainer
  readonly gives: string;
  readonly tells: readonly Lack[]; // that are in the file from then on
}

const VERL: readonly Advice[] = [
  {
    set: 'actor_rollout_ref.rollout.trace.backend=mlflow (or weave) with trace.token2text=True and rollout.calculate_log_probs=True',
    gives:
      'token ids, the mask and the sampler’s log-probabilities (tier B): exact token counts, surprisal by token and turn',
    tells: ['ids', 'masks', 'sampler'],
  },
  {
    set: 'trainer.use_v1=True (the default since 0.9.0)',
    gives: 'uid, which tells groups apart that have equal prompts',
    tells: ['groups'],
  },
  {
    set: 'the recorder of the verl folder (Export menu), with TURNWISE_RECORD=DIR',
    gives: 'ids, masks, log-probabilities of both policies and advantages (tier C)',
    tells: ['trainer'],
  },
];
const VERIFIERS: readonly Advice[] = [
  { set: 'prime-rl 0.9.1.dev29 or later, whose file monitor is on by default: open the whole folder traces/', gives: 'log-probabilities, entropies and advantages of the trainer (tier C)', tells: ['trainer', 'ids', 'masks', 'sampler'] }, // prettier-ignore
];
const RLLM: readonly Advice[] = [
  { set: 'Step.to_dict with prompt_ids, response_ids and logprobs, or the gateway’s traces', gives: 'token ids and log-probabilities (tier B)', tells: ['ids', 'masks', 'sampler', 'contexts'] }, // prettier-ignore
];

/** By format; what gives a tier that is reached already is left out. */
const ADVICE: Readonly<Record<string, readonly Advice[]>> = {
  verl: VERL,
  'arpo-eval': VERL,
  'chatml-text': VERL,
  'verl-mlflow': [
    { set: 'trace.token2text=True', gives: 'the text beside the ids, special tokens kept', tells: [] },
    {
      set: 'actor_rollout_ref.rollout.calculate_log_probs=True',
      gives: 'response_logprobs (tier B)',
      tells: ['sampler'],
    },
  ],
  'verifiers-v1': VERIFIERS,
  'verifiers-results': [
    { set: 'state_columns=["trajectory"] when the results are saved', gives: 'ids, masks and log-probabilities of each turn (tier B)', tells: ['ids', 'masks', 'sampler', 'contexts'] }, // prettier-ignore
    ...VERIFIERS,
  ],
  trl: [
    { set: 'an id of the prompt among the columns (log_extra), and --group with it', gives: 'groups that are not inferred from equal prompts', tells: ['groups'] }, // prettier-ignore
  ],
  ragen: [
    {
      set: 'output.format=jsonl (the default is a pickle) in eval.yaml',
      gives: 'files that open here',
      tells: [],
    },
  ],
  rllm: RLLM,
  'rllm-gateway': RLLM,
  'nemo-gym': [
    { set: 'prompt_token_ids, generation_token_ids and generation_log_probs in the items of the response', gives: 'ids and log-probabilities (tier B)', tells: ['ids', 'masks', 'sampler'] }, // prettier-ignore
    { set: '_ng_task_index', gives: 'groups that are not inferred', tells: ['groups'] },
  ],
  inspect: [
    {
      set: '--logprobs in inspect eval',
      gives: 'log-probabilities of the sampled tokens',
      tells: ['sampler'],
    },
    { set: '--epochs N', gives: 'several rollouts of a sample: a group', tells: ['groups'] },
  ],
  otel: [
    {
      set: 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true',
      gives: 'the text of messages',
      tells: [],
    },
  ],
  skyrl: [{ set: 'trainer.dump_eval_results=true', gives: 'evaluations as text; training rollouts are not written', tells: [] }], // prettier-ignore
  chat: [
    {
      set: 'a field with the prompt’s id, and a numeric reward, in each row',
      gives: 'groups and credit',
      tells: ['groups', 'reward'],
    },
  ],
};
const IN_ANY: Advice = {
  set: 'per row: token ids, a mask and log-probabilities, in any format listed here',
  gives: 'tier B',
  tells: [],
};

/** What to switch on in the trainer that wrote the format, for what is missing; null: nothing that is known. */
export const adviceOn = (format: string, lack: Lack): Advice | null =>
  ADVICE[format]?.find(({ tells }) => tells.includes(lack)) ?? null;

export const adviceFor = ({ format, tier }: ImportSummary): readonly Advice[] => {
  const known = ADVICE[format] ?? [IN_ANY];
  return known.filter(({ gives }) => !(tier !== 'A' && gives.includes('(tier B)')) && !(tier === 'C' && gives.includes('(tier C)'))); // prettier-ignore
};
