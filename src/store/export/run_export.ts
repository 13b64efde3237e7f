/** The run on screen as tables: metrics as CSV, nodes and tokens as JSON lines, each headed by what run it is; and as traces. Pure. */
import { lostEpisode, traceLines } from '../../files/rollouts/traces.ts';
import type { UpdateMetrics } from '../../protocol/protocol.ts';
import {
  PROGRAM,
  ROOT,
  countWords,
  editSuffix,
  type NodeId,
  type RunConfig,
  type TurnNode,
} from '../../units.ts';
import { creditRulesOf } from '../credit/credit.ts';
import { worthOf } from '../credit/advantage_range.ts';
import { methodTitle } from '../lab/knobs.ts';
import { lossTokens, type LossToken } from '../loss/loss_reading.ts';
import { joinerOf, pathTo, tokenText } from '../record/reading.ts';
import { adapterWords, recipeChanges, type RecipeChange } from '../record/run_name.ts';
import { foldEvents } from '../record/fold.ts';
import type { RunStore } from '../record/run.ts';
import { EMPTY_RUN, type RunState, type TreeState, type UpdateState } from '../record/run_state.ts';

/** What tells a reader of a file which run it is from; null where the record does not say. */
export interface Provenance {
  readonly program: string;
  readonly method: string | null;
  readonly preset: string | null;
  readonly seed: number | null;
  readonly differences: readonly RecipeChange[] | null; // from preset and method; null where these are not known here
  readonly update: number | 'all';
  readonly updateCount: number;
  readonly notHeld: string; // what of these updates is in none of the rows
  readonly adapter: string | null;
  readonly origin: string;
  readonly date: string | null; // ISO 8601
  readonly settings: RunConfig | null;
}

function originWords({ header }: RunState): string {
  if (!header) return 'no run';
  const { origin } = header;
  if (origin.kind === 'imported') return `${origin.file}, read as ${origin.format}`;
  return origin.kind === 'forked'
    ? `trained here from the weights of ${origin.run} after update ${origin.update}`
    : 'trained here';
}

/** Groups of an imported file that the record counts and does not hold, in words. */
function notHeldWords(updates: readonly UpdateState[]): string {
  const groups = updates.reduce((sum, { elsewhere }) => sum + (elsewhere?.groups ?? 0), 0);
  const rollouts = updates.reduce((sum, { elsewhere }) => sum + (elsewhere?.rollouts ?? 0), 0);
  if (groups === 0) return 'nothing';
  return `${countWords(groups, 'group')} of ${countWords(rollouts, 'rollout')}, which stand in the file alone`;
}

/** @param update that the file is about */
export function provenanceOf(run: RunState, update: number | 'all'): Provenance {
  const { header, ready, updates } = run;
  const settings = header?.config ?? null;
  return {
    program: PROGRAM,
    method: settings && `${methodTitle(settings.algorithm.name)}${editSuffix(settings)}`,
    preset: settings?.preset ?? null,
    seed: settings?.seed ?? null,
    differences: recipeChanges(settings, ready),
    update,
    updateCount: updates.length,
    notHeld: notHeldWords(update === 'all' ? updates : updates.slice(update - 1, update)),
    adapter: header?.adapter ? adapterWords(header.adapter) : null,
    origin: originWords(run),
    date: header?.date || null,
    settings,
  };
}

/** Settings that differ from preset and method, in words. */
export function differenceWords({ differences }: Pick<Provenance, 'differences'>): string {
  if (!differences) return 'not known (all settings are below)';
  if (differences.length === 0) return 'none';
  return differences.map(({ path, value }) => `${path} = ${JSON.stringify(value)}`).join('; ');
}

// Metrics: one row an update, one column a measured quantity.

/** Of every metric. '1' is a number without a unit. */
export const METRIC_UNITS = {
  exactMatch: 'share',
  unknown: 'share',
  reliability: 'share',
  meanReward: '1',
  malformed: 'share',
  turnSurprisal: 'nats per token',
  depth: 'turns',
  toolCalls: 'calls',
  deadTrees: 'share',
  sampledTokens: 'tokens',
  rolloutBatches: 'batches',
  droppedGroups: 'groups',
  loss: '1',
  clipFraction: 'share',
  clipFractionLast: 'share',
  ppoKl: 'nats',
  turnKlEntropy: '1',
  singleTurnCount: 'rows',
  gradientNorm: '1',
  skippedSteps: 'steps',
  uniqueTokens: 'tokens',
  rowTokens: 'tokens',
  entropy: 'nats',
  rolloutMs: 'ms',
  trainMs: 'ms',
} as const satisfies Record<keyof UpdateMetrics, string>;

const METRICS = Object.keys(METRIC_UNITS) as (keyof UpdateMetrics)[];
const SCORES = ['exactMatch', 'unknown', 'reliability'] as const;

export const quoted = (text: string): string =>
  /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** With all its digits; unknown and not finite is empty. */
const cell = (value: number | null | undefined): string =>
  value == null || !Number.isFinite(value) ? '' : String(value);

interface Column {
  readonly name: string;
  readonly at: (update: number) => string;
}

function columnsOf({ updates, evaluations }: RunState): readonly Column[] {
  const measured = METRICS.map((key): Column => ({
    name: `${key} [${METRIC_UNITS[key]}]`,
    at: (update) => cell(updates[update - 1]?.metrics?.[key]),
  }));
  const kinds = new Map(
    evaluations.map(({ dataset, greedy }) => [`${dataset} ${greedy}`, { dataset, greedy }]),
  );
  const heldOut = [...kinds.values()].flatMap(({ dataset, greedy }) =>
    SCORES.map((score): Column => ({
      name: `heldOut.${score} ${dataset} ${greedy ? 'greedy' : 'sampled'} [share]`,
      at: (update) =>
        cell(
          evaluations.findLast(
            (event) => event.update === update && event.dataset === dataset && event.greedy === greedy,
          )?.[score],
        ),
    })),
  );
  return [...measured, ...heldOut];
}

/** Which run a table is of, and whatever else is told of it: lines that begin with #. */
export function headLines(
  { settings, ...told }: Provenance,
  more: Readonly<Record<string, unknown>> = {},
): string {
  const facts = {
    ...{ ...told, ...more },
    ...{ differences: differenceWords(told), settings: JSON.stringify(settings) },
  };
  return Object.entries(facts)
    .map(([name, value]) => `# ${name}: ${String(value ?? 'unknown').replace(/[\r\n]+/g, ' ')}`)
    .join('\n');
}

/**
 * Every number that was measured, by update. Row 0 is what was evaluated before the first update.
 * @returns comma-separated values below lines that begin with #
 */
export function metricsCsv(run: RunState): string {
  const head = headLines(provenanceOf(run, 'all'));
  const columns = columnsOf(run);
  const first = run.evaluations.some(({ update }) => update === 0) ? 0 : 1;
  const rows: string[] = [];
  for (let update = first; update <= run.updates.length; update += 1)
    rows.push([update, ...columns.map(({ at }) => at(update))].join(','));
  return [head, ['update', ...columns.map(({ name }) => quoted(name))].join(','), ...rows, ''].join('\n');
}

// Nodes and tokens: a line each. Unknown is null.

const UNITS = {
  nodes: {
    turnSurprisal: 'nats per token (H)',
    value: '1 (V)',
    advantage: '1 (A), least and greatest over the tokens of the turn',
    reward: '1',
    depth: 'tool results on the path',
    turn: 'turns on the path, this one included; 0 is the question',
  },
  tokens: {
    position: 'tokens from the start of the row, prompt included',
    sampledLogProb: 'nats, as it was sampled',
    sampledEntropy: 'nats, as it was sampled',
    oldLogProb: 'nats, before the step',
    logProb: 'nats, as the loss saw it',
    entropy: 'nats, as the loss saw it',
    ratio: '1, of the level of the loss',
    clipState: '0 inside, 1 above, 2 below, 3 log-ratio cap, 4 dual clip, 5 soft above, 6 soft below',
    advantage: '1, as the loss saw it',
    weight: '1',
    loss: '1, before its weight',
    dlogProb: '1, weighted',
  },
} as const;

export type LineKind = keyof typeof UNITS;

const nodesOf = ({ nodes }: TreeState): readonly TurnNode[] => nodes.filter((node) => node !== undefined);

function* nodeLines(run: RunState, { update, trees }: UpdateState): Generator<object> {
  const rules = creditRulesOf(run);
  const joiner = joinerOf(run);
  const read = (node: TurnNode, bit: 0 | 1): string =>
    node.tokens
      .flatMap((id, place) => (node.mask[place] === bit ? [tokenText(run.texts, id)] : []))
      .join(joiner);
  for (const tree of trees) {
    const worth = rules && worthOf(tree, rules, trees, run.header?.config != null);
    const { prompt } = tree;
    for (const node of nodesOf(tree)) {
      const isRoot = node.id === ROOT;
      yield {
        ...{ kind: 'node', update, prompt: prompt.index, dataset: prompt.dataset, promptSeed: prompt.seed },
        ...{ id: node.id, parent: node.parent, turn: pathTo(tree, node.id).length - 1, origin: node.origin },
        ...{ depth: node.depth, turnSurprisal: isRoot ? null : node.turnSurprisal },
        value: worth?.values?.[node.id] ?? null,
        advantage: worth?.advantages?.[node.id] ?? null,
        reward: tree.rewards?.[node.id] ?? null,
        ...{ ending: node.ending, pruned: node.pruned, dropped: tree.dropped },
        isRow: tree.leaves.includes(node.id),
        observation: isRoot
          ? prompt.tokens.map((id) => tokenText(run.texts, id)).join(joiner)
          : read(node, 0),
        generated: read(node, 1),
      };
    }
  }
}

type Author = 'prompt' | 'policy' | 'environment';

/** What the loss saw of a row, by position. */
function lossOfRow(run: RunState, { minibatches }: UpdateState, prompt: number, leaf: NodeId) {
  const loss = run.header?.config?.algorithm.loss;
  for (const minibatch of minibatches) {
    const row = minibatch.rows.find((each) => each.prompt === prompt && each.leaf === leaf);
    if (!row || !loss) continue;
    const tokens = lossTokens(row, minibatch, loss);
    return { minibatch: minibatch.minibatch, at: new Map(tokens.map((token) => [token.position, token])) };
  }
  return null;
}

/**
 * A line per token of each row of the batch, as the loss reads them: what rows share stands in each of them. The tokens of
 * the question and of turns in no row stand once, with `leaf` null.
 */
function* tokenLines(run: RunState, state: UpdateState): Generator<object> {
  for (const tree of state.trees) {
    const prompt = tree.prompt.index;
    const base = { kind: 'token', update: state.update, prompt };
    const line = (leaf: NodeId | null, node: NodeId, position: number, id: number, author: Author) => ({
      ...base,
      ...{ leaf, node, position, id, text: tokenText(run.texts, id), author },
    });
    const seen = (token: LossToken | undefined, minibatch: number | null) => ({
      minibatch: token ? minibatch : null,
      ...{
        oldLogProb: token?.oldLogProb ?? null,
        logProb: token?.logProb ?? null,
        entropy: token?.entropy ?? null,
      },
      ...{
        ratio: token?.ratio ?? null,
        clipState: token?.clipState ?? null,
        advantage: token?.advantage ?? null,
      },
      ...{ weight: token?.weight ?? null, loss: token?.tokenLoss ?? null, dlogProb: token?.dlogProb ?? null },
    });
    const ofNode = function* (
      node: TurnNode,
      leaf: NodeId | null,
      start: number,
      loss: ReturnType<typeof lossOfRow>,
    ) {
      for (const [index, id] of node.tokens.entries()) {
        const isSampled = node.mask[index] === 1;
        yield {
          ...line(leaf, node.id, start + index, id, isSampled ? 'policy' : 'environment'),
          sampledLogProb: isSampled ? (node.logProb?.[index] ?? null) : null,
          sampledEntropy: isSampled ? (node.entropy?.[index] ?? null) : null,
          ...seen(loss?.at.get(start + index), loss?.minibatch ?? null),
        };
      }
    };
    for (const [position, id] of tree.prompt.tokens.entries())
      yield {
        ...line(null, ROOT, position, id, 'prompt'),
        sampledLogProb: null,
        sampledEntropy: null,
        ...seen(undefined, null),
      };
    const inRows = new Set<NodeId>([ROOT]);
    for (const leaf of tree.leaves) {
      const loss = lossOfRow(run, state, prompt, leaf);
      let start = tree.prompt.tokens.length;
      for (const node of pathTo(tree, leaf)) {
        inRows.add(node.id);
        yield* ofNode(node, leaf, start, loss);
        start += node.tokens.length;
      }
    }
    for (const node of nodesOf(tree).filter(({ id }) => !inRows.has(id))) {
      const before = pathTo(tree, node.id).slice(0, -1);
      const start = before.reduce((sum, { tokens }) => sum + tokens.length, tree.prompt.tokens.length);
      yield* ofNode(node, null, start, null);
    }
  }
}

const LINES = { nodes: nodeLines, tokens: tokenLines } as const;

/** An update with its trees and loss rows, wherever they are; null where they are lost. */
async function wholeUpdate(record: RunStore, update: UpdateState): Promise<UpdateState | null> {
  if (update.detail === 'here') return update;
  const events = await record.contents().log.eventsOf(update.update);
  return (events && foldEvents(EMPTY_RUN, events).updates[update.update - 1]) ?? null;
}

/** An update's rows as episodes; where its words are lost, an episode that failed says so. */
async function traceText(record: RunStore, run: RunState, state: UpdateState): Promise<string> {
  const { header, texts } = run;
  const { update, readBack } = state;
  const events = await (readBack ? record.eventsOf(update) : record.contents().log.eventsOf(update));
  if (!header) return '';
  return events ? [...traceLines({ header, texts }, events)].join('') : lostEpisode(header, update);
}

/**
 * Nodes or tokens of one update, or of all of them, as JSON lines, of which the first says which run, and what units; or rows
 * as verifiers v1 episodes, which say so each.
 * @returns a part of the file after each update; an update whose words are lost has one line that says so
 */
export async function* jsonLines(
  record: RunStore,
  kind: LineKind | 'traces',
  update: number | 'all',
): AsyncGenerator<string> {
  const run = record.getState(); // what is trained meanwhile is not in the file
  if (kind === 'traces') yield '';
  else
    yield `${JSON.stringify({ kind: 'run', lines: kind, ...provenanceOf(run, update), units: UNITS[kind] })}\n`;
  for (const state of run.updates.filter((each) => update === 'all' || each.update === update)) {
    if (kind === 'traces') {
      yield await traceText(record, run, state);
      continue;
    }
    const whole = await wholeUpdate(record, state);
    const lines = whole ? LINES[kind](run, whole) : [{ kind: 'lost', update: state.update }];
    let part = '';
    for (const line of lines) part += `${JSON.stringify(line)}\n`;
    yield part;
  }
}

/** "at2po-instant-seed7", for the name of a file. */
export function fileStem({ header }: RunState): string {
  const config = header?.config;
  const words = config
    ? `${config.algorithm.name} ${config.preset} seed${config.seed}`
    : header?.origin.kind === 'imported'
      ? header.origin.file
      : 'run';
  return words.normalize('NFKD').replace(/[^A-Za-z0-9._]+/g, '-').replace(/^[-.]+|-+$/g, '') || 'run'; // prettier-ignore
}
