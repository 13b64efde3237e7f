/**
 * Trees of a run as verifiers v1 episodes, a row of the batch a line: what prime-rl and verifiers write and read, and what
 * `formats/verifiers_episodes.ts` opens here again. Beyond that schema everything of ours stands under `turnwise`.
 * Source: verifiers/v1/{episode,trace,graph,types,task}.py at a60a606; where we differ: README, decisions.
 */
import type { EventOf, LossRow, RunEvent, TreeCredit } from '../../protocol/protocol.ts';
import {
  PROGRAM,
  type AlgorithmConfig,
  type NodeId,
  type RecordedPrompt,
  type TurnNode,
} from '../../units.ts';

/** What is said of the run in every line. */
export interface TraceSource {
  readonly header: Pick<EventOf<'run-started'>, 'config' | 'origin' | 'tokens' | 'date' | 'environment'>;
  readonly texts: readonly string[]; // by TokenId
}

const VERIFIERS = '0.3.1'; // the version whose schema is followed

/** A tree as its events have told it. */
interface Told {
  readonly prompt: RecordedPrompt;
  readonly nodes: TurnNode[];
  leaves: readonly NodeId[];
  rewards: readonly (number | null)[] | null;
  credit: TreeCredit | null;
  readonly rows: Map<NodeId, LossRow>;
}

const told = (prompt: RecordedPrompt): Told => ({
  ...{ prompt, nodes: [], leaves: [], rewards: null, credit: null, rows: new Map() },
});

function gather(events: Iterable<RunEvent>): { readonly update: number; readonly trees: readonly Told[] } {
  const trees: Told[] = [];
  let update = 0;
  for (const event of events) {
    if (event.kind === 'update-started') {
      update = event.update;
      trees.splice(0, trees.length, ...event.prompts.map(told));
    }
    if (event.kind === 'prompts-added') trees.push(...event.prompts.map(told));
    if (event.kind === 'node') trees[event.prompt].nodes[event.node.id] = event.node;
    if (event.kind === 'leaves') trees[event.prompt].leaves = event.leaves;
    if (event.kind === 'rewards')
      for (const { prompt, byNode } of event.trees) trees[prompt].rewards = byNode;
    if (event.kind === 'credit') for (const credit of event.trees) trees[credit.prompt].credit = credit;
    if (event.kind === 'loss') for (const row of event.rows) trees[row.prompt].rows.set(row.leaf, row);
  }
  return { update, trees };
}

/** A maximal run of a node's tokens by one author: a message. */
interface Piece {
  readonly author: 'prompt' | 'policy' | 'tool' | 'retrieved';
  readonly node: TurnNode | null; // null: the prompt
  readonly first: number; // place of its first token among the node's own
  readonly start: number; // and in the row, prompt included
  readonly ids: readonly number[];
}

/** Where the words that RAPO took from a stored step begin among a node's tokens; they are nobody's sample. */
const retrievedFrom = ({ retrieved, tokens, lastGenerationLength }: TurnNode): number =>
  retrieved ? tokens.length - lastGenerationLength : tokens.length;

function piecesOf({ prompt, nodes }: Told, leaf: NodeId): readonly Piece[] {
  const path: TurnNode[] = [];
  for (let at: NodeId | null = leaf; at !== null; at = nodes[at]?.parent ?? null)
    if (nodes[at]) path.unshift(nodes[at]);
  const pieces: Piece[] = [{ author: 'prompt', node: null, first: 0, start: 0, ids: prompt.tokens }];
  let length = prompt.tokens.length;
  for (const node of path) {
    const retrieved = retrievedFrom(node);
    const authors = node.mask.map((bit, at) => bit === 1 ? 'policy' : at >= retrieved ? 'retrieved' : 'tool'); // prettier-ignore
    for (let first = 0; first < authors.length;) {
      let end = first;
      while (authors[end] === authors[first]) end += 1;
      const ids = node.tokens.slice(first, end);
      pieces.push({ author: authors[first], node, first, start: length + first, ids });
      first = end;
    }
    length += node.tokens.length;
  }
  return pieces;
}

const ROLES = { prompt: 'user', policy: 'assistant', retrieved: 'assistant', tool: 'tool' } as const;

/** What the loss saw of the tokens of a piece, in order; null where it did not see them all. */
const seenBy = (row: LossRow | undefined, { start, ids }: Piece) => {
  const at = new Map(row?.tokenIndex.map((position, index) => [position, index]));
  const places = ids.map((_, offset) => at.get(start + offset));
  return (list: readonly number[] | undefined): readonly number[] | null =>
    list && places.every((place) => place !== undefined) ? places.map((place) => list[place]) : null;
};

/** A list that is known, under its key; nothing where it is not: verifiers leaves keys out, too. */
const known = (key: string, list: readonly number[] | null): Readonly<Record<string, readonly number[]>> =>
  list ? { [key]: list } : {};

function messageOf(piece: Piece, text: string) {
  const role = ROLES[piece.author];
  return role === 'tool' ? { role, tool_call_id: `call_${piece.node?.parent ?? 0}`, content: text } : { role, content: text }; // prettier-ignore
}

/**
 * What the tokens of a turn were trained with. The loss holds it in float32; where credit has the same number for the whole
 * turn, its float64 is told. Before the loss, and of groups that no step was taken on, credit alone says.
 */
function advantagesOf(
  { credit }: Told,
  { node, ids }: Piece,
  seen: readonly number[] | null,
  isBefore: boolean,
): readonly number[] | null {
  const one = node && credit ? credit.advantages[node.id] : null;
  const same = one !== null && (seen ? seen.every((each) => each === Math.fround(one)) : isBefore);
  return same ? ids.map(() => one) : seen;
}

function nodeOf(tree: Told, leaf: NodeId, piece: Piece, at: number, { texts, header }: TraceSource) {
  const { author, node, first, ids } = piece;
  const sampled = author === 'policy';
  const space = header.tokens === 'vocabulary' ? ' ' : '';
  const pieces = ids.map((id, place) => `${place + at === 0 ? '' : space}${texts[id] ?? `#${id}`}`);
  const own = (list: readonly number[] | null | undefined) =>
    sampled && list ? list.slice(first, first + ids.length) : null;
  const row = tree.rows.get(leaf);
  const seen = sampled ? seenBy(row, piece) : () => null;
  const { credit } = tree;
  return {
    ...(at > 0 && { parent: at - 1 }),
    message: messageOf(piece, pieces.join('').trim()),
    ...{
      sampled,
      timestamp: 0,
      token_ids: ids,
      mask: ids.map(() => sampled),
      is_content: ids.map(() => true),
    },
    logprobs: own(node?.logProb) ?? [],
    ...known('advantages', sampled ? advantagesOf(tree, piece, seen(row?.advantage), !row) : null),
    ...known('trainer_logprobs', seen(row?.oldLogProb)),
    ...known('entropies', own(node?.entropy)),
    turnwise: {
      ...{ node: node?.id ?? 0, pieces, value: credit?.values?.[node?.id ?? 0] ?? null },
      ...(node && { parent: node.parent, turnSurprisal: node.turnSurprisal, origin: node.origin }),
      ...known('current_logprobs', seen(row?.logProb)),
      ...known('current_entropies', seen(row?.entropy)),
      ...known('weights', seen(row?.weight)),
      ...known('losses', seen(row?.tokenLoss)),
      ...known('dlogprobs', seen(row?.dlogProb)),
    },
  };
}

const wordsOf = ({ texts, header }: TraceSource, ids: readonly number[]): string =>
  ids.map((id) => texts[id] ?? `#${id}`).join(header.tokens === 'vocabulary' ? ' ' : '').trim(); // prettier-ignore

/** The rules behind the numbers, by name. */
const rulesOf = (algorithm: AlgorithmConfig | undefined, credit: TreeCredit | null) => ({
  ...{ method: algorithm?.name ?? null, shape: algorithm?.rollout.shape ?? null },
  ...{ valueRule: credit?.valueRule ?? null, advantageRule: credit?.advantageRule ?? null },
  ...{ surrogate: algorithm?.loss.surrogate ?? null, ratioLevel: algorithm?.loss.ratioLevel ?? null },
});

/** A run's name in ids: the same for two runs of one configuration, as their numbers are. */
const runName = ({ config, origin }: TraceSource['header']): string =>
  config ? `${config.algorithm.name}-${config.preset}-seed${config.seed}` : origin.kind;

const workOf = (run: string, update: number) => ({ type: 'train', id: run, name: run, work: { type: 'train', step: update } }); // prettier-ignore

/** The line of an update whose words are no longer there: an episode that failed, as verifiers writes one. */
export function lostEpisode(header: TraceSource['header'], update: number): string {
  const run = runName(header);
  const error = { type: 'LostUpdate', message: `the words of update ${update} are no longer held` };
  return `${JSON.stringify({ id: `${run}-update${update}`, env: { id: 'turnwise' }, task: { type: 'TurnwiseTask', data: {} }, run: workOf(run, update), ok: false, errors: [error], traces: [] })}\n`; // prettier-ignore
}

function episodeOf(tree: Told, leaf: NodeId, row: number, update: number, source: TraceSource) {
  const { prompt, credit } = tree;
  const { header } = source;
  const { config, environment, date } = header;
  const algorithm = config?.algorithm;
  const run = runName(header);
  const id = `${run}-update${update}-prompt${prompt.index}-row${row}`;
  const reward = tree.rewards?.[leaf] ?? null;
  const ending = tree.nodes[leaf]?.ending ?? 'unknown';
  const answer = prompt.answer && wordsOf(source, prompt.answer);
  const task = {
    type: 'TurnwiseTask',
    data: { idx: prompt.index, prompt: wordsOf(source, prompt.tokens), ...(answer !== null && { answer }), seed: prompt.seed }, // prettier-ignore
    key: `${prompt.dataset}-${prompt.seed ?? prompt.index}`,
  };
  return {
    ...{ id, env: { id: `turnwise/${environment?.name ?? 'unknown'}`, name: prompt.dataset }, task },
    group: { id: `${run}-update${update}-prompt${prompt.index}` },
    run: workOf(run, update),
    ...{ ok: true, errors: [] },
    traces: [
      {
        ...{ version: 1, id, verifiers: { version: VERIFIERS }, task },
        agent: { config: { model: 'turnwise' }, name: 'policy', trainable: true },
        tools: [],
        nodes: piecesOf(tree, leaf).map((piece, at) => nodeOf(tree, leaf, piece, at, source)),
        ...{ calls: [], rewards: { [algorithm?.reward.rule ?? 'reward']: reward === null ? null : { score: reward, weight: 1 } } }, // prettier-ignore
        ...{ metrics: {}, extra_usage: [], is_completed: true, ok: true, errors: [] },
        stop_condition: ending === 'length' ? 'context_length' : ending,
        info: { turnwise: { program: PROGRAM, date, update, prompt: prompt.index, leaf, ending, ...rulesOf(algorithm, credit) } }, // prettier-ignore
      },
    ],
  };
}

/**
 * The rows of one update, a line each, those of a tree one after the other in row order.
 * @param events of that update; those of others are ignored once it begins
 * @returns lines that end in a line break; none where no tree has its rows yet
 */
export function* traceLines(source: TraceSource, events: Iterable<RunEvent>): Generator<string, void> {
  const { update, trees } = gather(events);
  for (const tree of trees)
    for (const [row, leaf] of tree.leaves.entries())
      yield `${JSON.stringify(episodeOf(tree, leaf, row, update, source))}\n`;
}

/** The rows of a whole log. @param log events of one run, from its start */
export function* tracesOfLog(log: Iterable<RunEvent>): Generator<string, void> {
  let source: TraceSource | null = null;
  let texts: string[] = [];
  let part: RunEvent[] = [];
  for (const event of log) {
    if (event.kind === 'run-started') {
      texts = event.tokens === 'vocabulary' ? [...(event.environment?.vocabulary ?? [])] : [];
      source = { header: event, texts };
    }
    if (event.kind === 'texts') texts.push(...event.texts);
    if (event.kind === 'update-started') {
      if (source) yield* traceLines(source, part);
      part = [];
    }
    part.push(event);
  }
  if (source) yield* traceLines(source, part);
}
