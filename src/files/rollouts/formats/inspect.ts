/**
 * Inspect AI's logs: an EvalLog as JSON, or the samples of an .eval archive, each a file of its own. Source: inspect_ai
 * 499e6152, log version 2. Rewards are scores; letters are mapped as Inspect's own value_to_float does, and that is noted.
 */
import * as v from 'valibot';
import { perRow, type Format } from '../format.ts';
import {
  asText,
  anything,
  isRecord,
  maybe,
  messages,
  name,
  spanOf,
  tokensOf,
  type Message,
} from '../messages.ts';
import { note, rewardOf, rollout, type Note, type Place, type Rollout, type Span } from '../rollout.ts';

const score = v.looseObject({ value: anything });
const choice = v.looseObject({ logprobs: maybe(v.looseObject({ content: maybe(v.array(v.looseObject({ token: v.string(), logprob: v.number() }))) })) }); // prettier-ignore
const sample = v.looseObject({
  ...{ id: name, epoch: maybe(v.number()), messages, target: anything },
  ...{
    scores: maybe(v.record(v.string(), score)),
    output: maybe(v.looseObject({ choices: maybe(v.array(choice)) })),
  },
  ...{ attachments: maybe(v.record(v.string(), v.string())), error: anything },
});
type Sample = v.InferOutput<typeof sample>;

const LETTERS: Readonly<Record<string, number>> = { C: 1, P: 0.5, I: 0, N: 0 };

/** The first scorer's value. A group of values has no one number: the person names one. */
function scoreOf(scores: Sample['scores']): {
  readonly reward: number | null;
  readonly notes: readonly Note[];
} {
  const [first] = Object.entries(scores ?? {});
  if (!first) return { reward: null, notes: [] };
  const [scorer, { value }] = first;
  if (typeof value === 'string' && Object.hasOwn(LETTERS, value))
    return {
      reward: LETTERS[value],
      notes: [note('reward-mapped', `${scorer} says ${value}: read as ${LETTERS[value]}`)],
    };
  if (isRecord(value) || Array.isArray(value))
    return { reward: null, notes: [note('reward-not-a-number', `${scorer} has several values: name one, e.g. --reward scores.${scorer}.value.KEY`)] }; // prettier-ignore
  return rewardOf(value);
}

/** Long texts stand beside the messages and are named in them. */
const resolved = (text: string, attachments: Sample['attachments']): string =>
  attachments
    ? text.replace(/attachment:\/\/([0-9a-f]+)/g, (whole, key: string) => attachments[key] ?? whole)
    : text;

const withTexts = (each: Message, attachments: Sample['attachments']): Message =>
  typeof each.content === 'string' ? { ...each, content: resolved(each.content, attachments) } : each;

/** Log-probs are kept of the last generation alone. */
function withLogProbs(spans: readonly Span[], output: Sample['output']): readonly Span[] {
  const content = output?.choices?.[0]?.logprobs?.content;
  const last = spans.findLastIndex(({ author }) => author === 'policy');
  if (!content?.length || last < 0) return spans;
  const tokens = tokensOf({ pieces: content.map(({ token }) => token), logProbs: content.map(({ logprob }) => logprob) }); // prettier-ignore
  return spans.with(last, { ...spans[last], tokens });
}

function rolloutOf(read: Sample, dataset: string, place: Place): Rollout {
  const isPrompt = (each: Message): boolean => each.source === 'input';
  const spans = read.messages.map((each) => {
    const made = spanOf(withTexts(each, read.attachments));
    return isPrompt(each) && made.author === 'policy' ? { ...made, author: 'assistant' as const } : made;
  });
  const { reward, notes } = scoreOf(read.scores);
  const failed = isRecord(read.error) ? [note('failed', `sample ${read.id} failed: ${asText(read.error.message)}`)] : []; // prettier-ignore
  return rollout(place, [{ spans: withLogProbs(spans, read.output) }], {
    ...{
      id: `${read.id}/${read.epoch ?? 1}`,
      group: { key: String(read.id), by: 'id over epochs' },
      dataset,
      reward,
    },
    answer: typeof read.target === 'string' && read.target !== '' ? read.target : null,
    notes: [...notes, ...failed],
  });
}

const log = v.looseObject({
  eval: v.looseObject({ task: maybe(v.string()) }),
  samples: maybe(v.array(sample)),
});

export const inspectLog: Format = {
  name: 'inspect',
  title: 'Inspect log',
  recognise: (value) =>
    isRecord(value) && isRecord(value.eval) && 'status' in value
      ? { version: `log version ${asText(value.version ?? 1)}`, why: 'eval and status are there' }
      : null,
  open: perRow(log, (read, place) =>
    (read.samples ?? []).map((each) => rolloutOf(each, read.eval.task ?? '', place)),
  ),
};

export const inspectSample: Format = {
  name: 'inspect-sample',
  title: 'a sample of an Inspect archive',
  recognise: (value) =>
    isRecord(value) && 'epoch' in value && 'target' in value && Array.isArray(value.messages) && 'id' in value
      ? { version: 'log version 2', why: 'id, epoch, target and messages are there' }
      : null,
  open: perRow(sample, (read, place) => [rolloutOf(read, '', place)]),
};
