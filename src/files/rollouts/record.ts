/** An import as a run record: the events that any recording has, so that every view opens it. What nobody knows stays null. */
import type {
  ImportChoices,
  ImportSummary,
  RecordPlace,
  RunEvent,
  TreeCredit,
} from '../../protocol/protocol.ts';
import { TREE_BOUNDS } from '../../protocol/log_entries.ts';
import { nodeId, tokenId, type AuthoredSpan, type NodeId, type TokenId, type TurnNode } from '../../units.ts';
import { ImportError, isTurn, promptOf, taskOf, type Place, type Rollout, type Span } from './rollout.ts';
import { factsOf } from './facts.ts';
import { hasTurn, type IndexedUpdate } from './line_index.ts';
import { surprisalOf } from './steps.ts';
import { groupHash, groupKeyOf, type Summary } from './tally.ts';
import { treeOf, type GroupTree } from './trees.ts';

export interface RecordOptions {
  readonly file: string; // name in the record's title
  readonly format: string;
  /** What a token of the record is: a word of the text, or a token of the file where it holds ids. */
  readonly unit?: 'words' | 'tokens';
  /** Trees that a person split or merged, by group key; the others are made from their rollouts. */
  readonly trees?: ReadonlyMap<string, GroupTree>;
  /** What was counted and how it was read, for the record to say of itself. */
  readonly counted?: Counted;
  /** Updates of all groups; those that are not among the rollouts stand in the files, and the record says so. */
  readonly updates?: readonly IndexedUpdate[] | null;
}

/** What was counted, how it was read, and what of it is not among the rollouts. */
export interface Counted {
  readonly summary: Summary;
  readonly choices: ImportChoices;
  readonly rest?: ImportSummary['rest'];
}

const WORDS = /\s*\S+|\s+$/g;

/** Texts by token id; each text once. */
class Texts {
  readonly #ids = new Map<string, number>();
  readonly #fresh: string[] = [];

  id(text: string): TokenId {
    const known = this.#ids.get(text);
    if (known !== undefined) return tokenId(known);
    const id = this.#ids.size;
    if (id >= TREE_BOUNDS.texts) throw tooLarge('different words', TREE_BOUNDS.texts);
    this.#ids.set(text, id);
    this.#fresh.push(text);
    return tokenId(id);
  }

  /** Those that no event has told yet. */
  take(): readonly string[] {
    return this.#fresh.splice(0);
  }
}

const tooLarge = (what: string, most: number): ImportError =>
  new ImportError({
    what: 'The rollouts are too many for one record',
    where: 'import',
    got: `more ${what}`,
    wanted: `at most ${most}`,
    next: 'Open fewer files, or fewer steps.',
  });

interface Tokens {
  readonly tokens: readonly TokenId[];
  readonly logProb: readonly (number | null)[]; // null: unknown
  readonly entropy: readonly (number | null)[];
}

const wordsOf = (text: string, texts: Texts): readonly TokenId[] =>
  (text.match(WORDS) ?? []).map((word) => texts.id(word));

/** A token of a tokenizer that is not here reads as its number. */
const pieceOf = (id: number): string => `⟨${id}⟩`;

/** @param opens whether it stands first: else its text begins on a line of its own */
function tokensOf(span: Span, unit: 'words' | 'tokens', opens: boolean, texts: Texts): Tokens {
  const { tokens } = span;
  const pieces = tokens?.pieces ?? tokens?.ids?.map(pieceOf) ?? null;
  if (pieces && (unit === 'tokens' || span.text === '')) {
    const unknown = pieces.map(() => null);
    const fits = (list: readonly (number | null)[] | null | undefined) =>
      list?.length === pieces.length ? list : unknown;
    return {
      tokens: pieces.map((piece) => texts.id(piece)),
      logProb: fits(tokens?.logProbs),
      entropy: fits(tokens?.entropies),
    };
  }
  const words = wordsOf(opens || /^\s/.test(span.text) ? span.text : `\n${span.text}`, texts);
  return { tokens: words, logProb: words.map(() => null), entropy: words.map(() => null) };
}

interface Part {
  readonly span: Span;
  readonly tokens: readonly TokenId[];
}

const authored = (parts: readonly Part[]): readonly AuthoredSpan[] =>
  parts.map(({ span: { author, guessed }, tokens }) => ({
    ...{ author, tokens: tokens.length },
    ...(guessed && { guessed }),
  }));

/** All known, or null. */
const known = (list: readonly (number | null)[]): readonly number[] | null =>
  list.includes(null) ? null : (list as readonly number[]);

function nodeOf(
  tree: GroupTree,
  id: number,
  above: TurnNode | null,
  unit: 'words' | 'tokens',
  texts: Texts,
): TurnNode {
  const { rows, turns, parent, isInferred } = tree.nodes[id];
  const [first] = rows;
  const { segments, rollout, prompt } = tree.rows[first];
  const ownPrompt = turns === 1 && prompt !== tree.rows[0].prompt ? promptOf(rollout.rows[0]) : [];
  const spans = [...ownPrompt, ...segments[turns - 1].spans];
  const parts = spans.map((span, at) => ({ span, ...tokensOf(span, unit, turns === 1 && at === 0, texts) }));
  const mask = parts.flatMap(({ span, tokens }) => tokens.map(() => Number(isTurn(span))));
  const numbers = (of: 'logProb' | 'entropy') => known(parts.flatMap((part) => part[of].map((each) => (isTurn(part.span) ? each : 0)))); // prettier-ignore
  const turn = spans.find(isTurn);
  const isLeaf = tree.paths[first].at(-1) === id;
  return {
    ...{ id: nodeId(id), parent: nodeId(parent ?? 0), children: [], tree: 0 },
    depth: (above?.depth ?? 0) + Number(turns > 1 && !isTurn(spans[0])),
    origin: { kind: 'imported', inferred: isInferred, spans: authored(parts) },
    tokens: parts.flatMap(({ tokens }) => tokens),
    ...{ mask, logProb: numbers('logProb'), entropy: numbers('entropy') },
    turnSurprisal: turn ? surprisalOf(turn) : null,
    lastGenerationLength: mask.filter((bit) => bit === 1).length,
    callCount: (above?.callCount ?? 0) + spans.reduce((sum, { calls }) => sum + calls.length, 0),
    ending: isLeaf ? rollout.ending : null,
    pruned: false,
  };
}

function* nodesOf(tree: GroupTree, unit: 'words' | 'tokens', texts: Texts): Generator<TurnNode> {
  if (tree.nodes.length > TREE_BOUNDS.nodes) throw tooLarge('turns in one tree', TREE_BOUNDS.nodes);
  const made: (TurnNode | null)[] = [null];
  for (const { id, parent } of tree.nodes.slice(1)) {
    const node = nodeOf(tree, id, made[parent ?? 0], unit, texts);
    made.push(node);
    yield node;
  }
}

/** Leaves in breadth-first order, as rows of a batch stand. */
function leavesOf({ nodes, paths }: GroupTree): readonly NodeId[] {
  const leaves = new Set(paths.map((path) => path.at(-1)));
  return nodes
    .filter(({ id }) => leaves.has(id))
    .toSorted((one, other) => one.turns - other.turns || one.id - other.id)
    .map(({ id }) => nodeId(id));
}

const rewardsOf = ({ nodes, rows, paths }: GroupTree): readonly (number | null)[] => {
  const byNode = nodes.map((): number | null => null);
  paths.forEach((path, row) => (byNode[path.at(-1)!] = rows[row].rollout.reward));
  return byNode;
};

/** What the trainer used, where all rows of a turn say the same. */
function advantagesOf({ nodes, rows, paths }: GroupTree): readonly (number | null)[] {
  const said = nodes.map(() => new Set<number | null>());
  paths.forEach((path, row) => path.forEach((id, turn) => {
    const own = rows[row].segments[turn].spans.find(isTurn)?.advantage ?? null;
    said[id].add(own ?? rows[row].rollout.advantage);
  })); // prettier-ignore
  return said.map((values) => (values.size === 1 ? [...values][0] : null));
}

/** What the file backed up to each node; null unless it says so of all. */
function valuesOf({ nodes, rows }: GroupTree): readonly number[] | null {
  const said = nodes.map(({ rows: [first], turns }) => {
    const { segments, rollout } = rows[first];
    const spans = turns === 0 ? promptOf(rollout.rows[0]) : segments[turns - 1].spans.filter(isTurn);
    return spans.find(({ node }) => node)?.node?.value ?? null;
  });
  return known(said);
}

/** By step, those of unknown step first; groups in the order of the input. */
function stepsOf(rollouts: readonly Rollout[]): readonly (readonly [string, readonly Rollout[]])[][] {
  const steps = new Map<number | null, Map<string, Rollout[]>>();
  for (const rollout of rollouts) {
    const groups = steps.get(rollout.step) ?? new Map<string, Rollout[]>();
    steps.set(rollout.step, groups);
    const key = groupKeyOf(rollout);
    const held = groups.get(key) ?? [];
    groups.set(key, held);
    held.push(rollout);
  }
  return [...steps]
    .toSorted(([one], [other]) => (one ?? -Infinity) - (other ?? -Infinity))
    .map(([, groups]) => [...groups]);
}

function* updateEvents(
  update: number,
  { trees, elsewhere }: Step,
  unit: 'words' | 'tokens',
  texts: Texts,
): Generator<RunEvent> {
  if (trees.length > TREE_BOUNDS.prompts) throw tooLarge('groups in one step', TREE_BOUNDS.prompts);
  const prompts = trees.map(({ rows }, index) => {
    const { rollout } = rows[0];
    const spans = promptOf(rollout.rows[0]);
    const parts = spans.map((span, at) => ({ span, ...tokensOf(span, unit, at === 0, texts) }));
    const tokens = parts.flatMap((part) => part.tokens);
    const asked = tokens.length > 0 ? tokens : wordsOf(taskOf(rollout.rows[0]) || rollout.task, texts);
    const { by, key } = rollout.group;
    return {
      ...{ index, dataset: rollout.dataset, seed: null, tokens: asked },
      answer: rollout.answer === null ? null : wordsOf(rollout.answer, texts),
      ...(tokens.length > 0 && { spans: authored(parts) }),
      group: { by, key: by === null ? '' : key }, // an inferred key is the prompt
    };
  });
  const grown = trees.map((tree) => [...nodesOf(tree, unit, texts)]);
  const fresh = texts.take();
  if (fresh.length > 0) yield { kind: 'texts', texts: [...fresh] };
  yield { kind: 'update-started', update, prompts };
  yield { kind: 'phase', update, phase: 'rollout' };
  for (const [prompt, nodes] of grown.entries()) {
    for (const node of nodes) yield { kind: 'node', update, prompt, node };
    yield { kind: 'leaves', update, prompt, leaves: leavesOf(trees[prompt]), pruned: [] };
  }
  if (trees.length > 0) yield { kind: 'rollout-facts', update, rollouts: trees.flatMap(factsOf) };
  yield { kind: 'phase', update, phase: 'reward' };
  const scored = trees.flatMap((tree, prompt) => {
    const byNode = rewardsOf(tree);
    return tree.paths.every((path) => byNode[path.at(-1)!] !== null) ? [{ prompt, byNode }] : []; // half-scored trees have no credit
  });
  if (scored.length > 0) yield { kind: 'rewards', update, trees: scored };
  const credit = trees.flatMap((tree, prompt): TreeCredit[] => {
    const advantages = advantagesOf(tree);
    return advantages.every((each) => each === null) ? [] : [{ prompt, valueRule: null, advantageRule: null, normalised: null, values: valuesOf(tree), advantages }]; // prettier-ignore
  });
  if (credit.length > 0) {
    yield { kind: 'phase', update, phase: 'value' };
    yield { kind: 'phase', update, phase: 'advantage' };
    yield { kind: 'credit', update, trees: credit };
  }
  yield { kind: 'update-ended', update, ...(elsewhere && { elsewhere }) };
}

/** A step of the trainer, as it becomes an update. */
interface Step {
  readonly step: number | null;
  readonly trees: readonly GroupTree[];
  readonly elsewhere?: { readonly groups: number; readonly rollouts: number }; // in the files alone
}

/** Rollouts without a turn are left out. */
const grownSteps = (
  rollouts: readonly Rollout[],
  trees: ReadonlyMap<string, GroupTree> | undefined,
): readonly Step[] =>
  stepsOf(rollouts).flatMap((groups) => {
    const grown = groups.map(([key, held]) => trees?.get(key) ?? treeOf(held)).filter(({ rows }) => rows.length > 0); // prettier-ignore
    return grown.length === 0 ? [] : [{ step: grown[0].rows[0].rollout.step, trees: grown }];
  });

/** By the index: of each update the first groups, as far as all their rollouts are here. */
function indexedSteps(rollouts: readonly Rollout[], updates: readonly IndexedUpdate[]): readonly Step[] {
  const held = new Map<number, Rollout[]>();
  for (const rollout of rollouts.filter(hasTurn)) {
    const hash = groupHash(rollout);
    held.set(hash, held.get(hash) ?? []);
    held.get(hash)?.push(rollout);
  }
  return updates.map(({ step, groups }) => {
    const missing = groups.findIndex(({ hash, rollouts: count }) => held.get(hash)?.length !== count);
    const first = missing < 0 ? groups : groups.slice(0, missing);
    const rest = groups.slice(first.length);
    const elsewhere = { groups: rest.length, rollouts: rest.reduce((sum, each) => sum + each.rollouts, 0) };
    const trees = first.map(({ hash }) => treeOf(held.get(hash) ?? []));
    return { step, trees, ...(rest.length > 0 && { elsewhere }) };
  });
}

const placeKey = ({ path, line }: Place): string => `${line} ${path}`;

/** Where the rows of the files stand in the record; of a rollout with several, the first. */
function leavesByPlace(
  steps: readonly Step[],
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, RecordPlace> {
  const found = new Map<string, RecordPlace>();
  for (const [at, { trees }] of steps.entries())
    for (const [prompt, { rows, paths }] of trees.entries())
      for (const [row, { rollout }] of rows.entries()) {
        const key = placeKey(rollout.place);
        const leaf = paths[row].at(-1);
        if (wanted.has(key) && !found.has(key) && leaf !== undefined) found.set(key, { update: at + 1, prompt, leaf: nodeId(leaf) }); // prettier-ignore
      }
  return found;
}

const MOST_TOLD = 200; // refusals, failures, files left out: the record says how many there were

/** What the record of these rollouts says of its files. */
export const importSummary = (counted: Counted, rollouts: readonly Rollout[]): ImportSummary =>
  summaryWithin(counted, rollouts, grownSteps(rollouts, undefined));

/** Those that the record has not, were read. */
function heldCount(rollouts: readonly Rollout[], steps: readonly Step[]): number {
  if (!steps.some(({ elsewhere }) => elsewhere)) return rollouts.filter(({ rows }) => rows.length > 0).length;
  return new Set(steps.flatMap(({ trees }) => trees.flatMap(({ rows }) => rows.map(({ rollout }) => rollout)))).size; // prettier-ignore
}

function summaryWithin(
  { summary, choices, rest }: Counted,
  rollouts: readonly Rollout[],
  steps: readonly Step[],
): ImportSummary {
  const { rewards, lints, ...counted } = summary;
  const wanted = new Set(lints.flatMap(({ places }) => places.map(placeKey)));
  const leaves = leavesByPlace(steps, wanted);
  const known = rewards.filter((each) => each !== null);
  const all = (of: (one: number, other: number) => number) => (known.length === 0 ? null : known.reduce(of));
  const sum = all((one, other) => one + other);
  return {
    ...counted,
    ...{ held: heldCount(rollouts, steps), choices, ...(rest && { rest }) },
    rewards: {
      ...{ known: known.length, mean: sum === null ? null : sum / known.length },
      ...{
        least: all((one, other) => Math.min(one, other)),
        most: all((one, other) => Math.max(one, other)),
      },
    },
    lints: lints.map((lint) => ({
      ...lint,
      places: lint.places.map((place) => ({ ...place, at: leaves.get(placeKey(place)) ?? null })),
    })),
    ...{ failed: counted.failed.slice(0, MOST_TOLD), refused: counted.refused.slice(0, MOST_TOLD) },
    skipped: counted.skipped.slice(0, MOST_TOLD),
    byStep: counted.byStep.map((each) => {
      const update = steps.findIndex(({ step }) => step === each.step) + 1;
      return { ...each, update: update === 0 ? null : update };
    }),
  };
}

/**
 * The events of a record: a step of the trainer an update, a group a tree. Rollouts without a turn are left out.
 * @throws ImportError where there is more than a record may hold
 */
export function* toRecord(
  rollouts: readonly Rollout[],
  { file, format, unit = 'words', trees, counted, updates = null }: RecordOptions,
): Generator<RunEvent> {
  const texts = new Texts();
  const steps = updates ? indexedSteps(rollouts, updates) : grownSteps(rollouts, trees);
  const summary = counted && summaryWithin(counted, rollouts, steps);
  yield {
    ...{ kind: 'run-started', config: null, adapter: null, environment: null, parameterCount: null },
    ...{ origin: { kind: 'imported', file, format, ...(summary && { summary }) }, tokens: unit, date: '' },
  };
  for (const [at, step] of steps.entries()) yield* updateEvents(at + 1, step, unit, texts);
}
