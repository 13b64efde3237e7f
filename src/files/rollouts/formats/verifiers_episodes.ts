/**
 * Episodes of verifiers v1, an episode a line, each with its traces as graphs of messages; prime-rl writes them as
 * rollouts/step_N/…/traces.jsonl and, from 0.9.1.dev29, as traces/stream/*.jsonl[.zst] with annotations beside.
 * Sources: verifiers/v1/{episode,trace,graph,types}.py (0.3.1), prime-rl monitors/file/traces, orchestrator/annotations.py.
 */
import * as v from 'valibot';
import { LEAF_ENDINGS, type LeafEnding } from '../../../units.ts';
import { check, perRow, stepOfPath, type Annotation, type Format } from '../format.ts';
import { anyNumber, bitList, bits, given, idList, isRecord, maybe, message, numberList, spanOf, tokensOf } from '../messages.ts'; // prettier-ignore
import { ImportError, note, rollout, type MaybeNumbers, type Note, type Place, type Rollout, type Row, type Span } from '../rollout.ts'; // prettier-ignore

const node = v.looseObject({
  ...{ parent: maybe(v.number()), message, sampled: maybe(v.boolean()) },
  ...{
    token_ids: maybe(idList),
    mask: maybe(bitList),
    logprobs: maybe(numberList),
    advantages: maybe(numberList),
  },
  ...{ trainer_logprobs: maybe(numberList), entropies: maybe(numberList) },
  /** What a run of this lab says beyond verifiers (../traces.ts). */
  turnwise: maybe(
    v.looseObject({ node: v.number(), value: maybe(v.number()), pieces: maybe(v.array(v.string())) }),
  ),
});
type Node = v.InferOutput<typeof node>;

const trace = v.looseObject({
  ...{
    id: maybe(v.string()),
    nodes: v.array(node),
    agent: maybe(v.looseObject({ trainable: maybe(v.boolean()) })),
  },
  rewards: maybe(v.record(v.string(), maybe(v.looseObject({ score: anyNumber, weight: maybe(anyNumber) })))),
  task: maybe(v.looseObject({ key: maybe(v.string()), data: maybe(v.looseObject({})) })),
  info: maybe(
    v.looseObject({
      advantage: maybe(anyNumber),
      turnwise: maybe(v.looseObject({ ending: maybe(v.picklist(LEAF_ENDINGS)) })),
    }),
  ),
  ...{ stop_condition: maybe(v.string()), errors: maybe(v.array(v.unknown())) },
});
type Trace = v.InferOutput<typeof trace>;

const episode = v.looseObject({
  ...{
    id: maybe(v.string()),
    ok: maybe(v.boolean()),
    errors: maybe(v.array(v.unknown())),
    traces: v.array(trace),
  },
  ...{
    group: maybe(v.looseObject({ id: maybe(v.string()) })),
    env: maybe(v.looseObject({ name: maybe(v.string()) })),
  },
  run: maybe(v.looseObject({ work: maybe(v.looseObject({ step: maybe(v.number()) })) })),
});

/** A list of one entry a token: the file may hold one for each token, or only for those under the mask. */
function spread(list: MaybeNumbers | null | undefined, mask: readonly boolean[]): MaybeNumbers | null {
  if (!list || list.length === 0) return null;
  if (list.length === mask.length) return list;
  if (list.length !== mask.filter(Boolean).length) return null;
  let at = 0;
  return mask.map((bit) => (bit ? list[at++] : null));
}

function spanOfNode(read: Node): Span {
  const written = spanOf(read.message);
  const ids = read.token_ids ?? [];
  const mask = bits(read.mask?.length ? read.mask : ids.map(() => read.sampled ?? false));
  const author = read.sampled ? 'policy' : given([written])[0].author;
  const advantages = spread(read.advantages, mask);
  const used = new Set(advantages?.filter((_, at) => mask[at]));
  const own = read.turnwise;
  return {
    ...{ ...written, author, advantage: used.size === 1 ? [...used][0] : null },
    node: own ? { key: String(own.node), value: own.value ?? null } : null,
    tokens: tokensOf({
      pieces: own?.pieces?.length === ids.length ? own.pieces : null,
      ...{ ids, mask, logProbs: spread(read.logprobs, mask), advantages },
      ...{ trainerLogProbs: spread(read.trainer_logprobs, mask), entropies: spread(read.entropies, mask) },
    }),
  };
}

/** Nodes from the root to each leaf, leaves in the order of the file. */
function branchesOf(nodes: readonly Node[], place: Place): readonly (readonly number[])[] {
  const parents = new Set(nodes.map(({ parent }) => parent));
  return nodes.flatMap((_, leaf) => {
    if (parents.has(leaf)) return [];
    const path: number[] = [];
    for (let at: number | null = leaf; at !== null; at = nodes[at].parent ?? null) {
      const above: number | null = nodes[at].parent ?? null;
      if (above !== null && !(Number.isInteger(above) && above >= 0 && above < at))
        throw misplaced(place, at, above);
      path.push(at);
    }
    return [path.reverse()];
  });
}

const misplaced = (place: Place, at: number, parent: number): ImportError =>
  new ImportError({
    what: 'A node of a trace has no place in its graph',
    where: `${place.path}, row ${place.line}, nodes.${at}.parent`,
    got: String(parent),
    wanted: `an earlier node, from 0 to ${at - 1}`,
    next: 'The other rows were read; this trace was left out.',
  });

const FIELDS = {
  advantages: 'advantages',
  trainer_logprobs: 'trainerLogProbs',
  entropies: 'entropies',
} as const;

/** A branch's spans with what an annotation says of its tokens: lists over the whole branch. */
function annotated(
  spans: readonly Span[],
  lists: Readonly<Record<string, MaybeNumbers>> | undefined,
): readonly Span[] {
  const length = spans.reduce((sum, { tokens }) => sum + (tokens?.ids?.length ?? 0), 0);
  const fits = (key: string): boolean => lists?.[key]?.length === length;
  const fitting = Object.entries(FIELDS).filter(([key]) => fits(key));
  const left = fits('is_masked') ? lists?.is_masked : null; // tokens that the trainer left out of the loss
  if (!lists || (fitting.length === 0 && !left)) return spans;
  let start = 0;
  return spans.map((each) => {
    const end = start + (each.tokens?.ids?.length ?? 0);
    const own = fitting.map(([key, field]) => [field, lists[key].slice(start, end)] as const);
    const out = left?.slice(start, end);
    start = end;
    if (!each.tokens) return each;
    const mask = each.tokens.mask?.map((bit, at) => bit && out?.[at] !== 1) ?? null;
    return { ...each, tokens: { ...each.tokens, ...Object.fromEntries(own), mask } };
  });
}

/** Σ score·weight over the rewards that were run. */
function total(rewards: Trace['rewards']): {
  readonly reward: number | null;
  readonly notes: readonly Note[];
} {
  const run = Object.values(rewards ?? {}).filter((each) => each !== null && each !== undefined);
  const missing = Object.entries(rewards ?? {}).filter(([, each]) => each === null);
  const notes = missing.map(([key]) => note('reward-not-run', `the reward ${key} was not run`));
  if (run.length === 0) return { reward: null, notes };
  const sum = run.reduce((all, { score, weight }) => all + score * (weight ?? 1), 0);
  return Number.isFinite(sum) ? { reward: sum, notes } : { reward: null, notes: [...notes, note('reward-not-a-number', `a reward is ${sum}: read as unknown`)] }; // prettier-ignore
}

/** Our own endings come back by name; a verifiers stop condition says only whether the context was full. */
const endingOf = ({ info, stop_condition: stopped }: Trace): LeafEnding =>
  info?.turnwise?.ending ?? (stopped && /length|context|max_tokens/.test(stopped) ? 'length' : 'unknown');

const errorText = (error: unknown): string =>
  isRecord(error)
    ? [error.type, error.message].filter((part) => typeof part === 'string').join(': ')
    : String(error);

function rolloutOf(
  read: Trace,
  whole: Partial<v.InferOutput<typeof episode>>,
  place: Place,
  mark: Annotation | undefined,
): Rollout {
  const rows: readonly Row[] = branchesOf(read.nodes, place).map((path, at) => ({
    spans: annotated(path.map((id) => spanOfNode(read.nodes[id])), mark?.branches.get(at)),
  })); // prettier-ignore
  const { reward, notes } = total(read.rewards);
  const { answer = null } = read.task?.data ?? {};
  const failures = (read.errors ?? []).map((error) => note('failed', `a trace failed: ${errorText(error)}`));
  return rollout(place, rows, {
    ...{ id: read.id ?? '', dataset: whole.env?.name ?? '', reward },
    ...(whole.group?.id && { group: { key: whole.group.id, by: 'group.id' } }),
    ...(read.task?.key && { task: read.task.key }),
    step: whole.run?.work?.step ?? stepOfPath(place.path),
    advantage: mark?.advantage ?? read.info?.advantage ?? null,
    answer: typeof answer === 'string' ? answer : null,
    ending: endingOf(read),
    notes: [...notes, ...failures],
  });
}

/** An episode without traces failed before its first turn: it has no words, and is listed all the same. */
const failedEpisode = (whole: v.InferOutput<typeof episode>, place: Place): Rollout =>
  rollout(place, [], {
    ...{ id: whole.id ?? '', step: whole.run?.work?.step ?? null },
    ...(whole.group?.id && { group: { key: whole.group.id, by: 'group.id' } }),
    notes: [note('failed', `episode ${whole.id ?? ''} failed: ${(whole.errors ?? []).map(errorText).join('; ') || 'no error is named'}`)], // prettier-ignore
  });

export const verifiersEpisodes: Format = {
  name: 'verifiers-v1',
  title: 'verifiers v1 episodes (also prime-rl)',
  hasOwnIds: true,
  recognise(value, path) {
    if (!isRecord(value)) return null;
    const isBare = Array.isArray(value.nodes) && 'rewards' in value;
    if (!Array.isArray(value.traces) && !isBare) return null;
    const first: unknown = isBare ? value : (value.traces as unknown[])[0];
    const writer = isRecord(first) && isRecord(first.verifiers) ? String(first.verifiers.version) : '';
    const layout = /(?:^|\/)stream\//.test(path) ? 'prime-rl stream, ' : /rollouts\/step_/.test(path) ? 'prime-rl steps, ' : ''; // prettier-ignore
    return { version: `${layout}verifiers ${writer || 'v1'}`, why: isBare ? 'nodes and rewards are there' : 'a list of traces with nodes' }; // prettier-ignore
  },
  open: perRow(v.looseObject({}), (value, place, { annotations }) => {
    const markOf = ({ id }: Trace): Annotation | undefined => annotations.get(String(id));
    if ('nodes' in value) {
      const bare = check(trace, value, place);
      return [rolloutOf(bare, {}, place, markOf(bare))];
    }
    const whole = check(episode, value, place);
    if (whole.traces.length === 0) return [failedEpisode(whole, place)];
    return whole.traces
      .filter(({ agent }) => agent?.trainable !== false) // judges
      .map((each) => rolloutOf(each, whole, place, markOf(each)));
  }),
};
