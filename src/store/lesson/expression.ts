/**
 * Small expressions by which a lesson asks the lab for a number: `value of n1`, `advantage of turn 2 under diff_parent`,
 * `deviation of rewards`. Read through the page's own readers, never computed here. Grammar in src/lessons/README.md. Pure.
 */
import { advantageRanges } from '../credit/advantage_range.ts';
import { creditRulesOf, recredit, type CreditChoice, type Recredit } from '../credit/credit.ts';
import { bestLeaf, isDead, pathTo, rolloutTree, selectedTree, selectedUpdate } from '../record/reading.ts';
import type { RunState, TreeState, UpdateState } from '../record/run_state.ts';
import type { Selection } from '../place/selection.ts';
import { leavesBelow } from '../../algo/tree/tree.ts';
import {
  ADVANTAGE_RULES,
  LabError,
  nodeId,
  quote,
  ROOT,
  VALUE_RULES,
  type AdvantageRule,
  type NodeId,
  type RecordedTree,
  type ValueRule,
} from '../../units.ts';

/** Where an expression is read: a run, and a place in it with the rules that are chosen there. */
export interface Ground {
  readonly run: RunState;
  readonly selection: Selection;
}

/** How a number is printed. */
export type QuantityKind = 'signed' | 'plain' | 'nats' | 'count' | 'share';

export interface Quantity {
  readonly value: number | null; // null: not known here, or not yet
  readonly kind: QuantityKind;
  readonly node: NodeId | null; // that it is of
}

export class ExpressionError extends LabError {
  constructor(text: string, got: string, wanted: string) {
    super('ExpressionError', {
      what: 'The lesson asks for a number that nobody knows',
      where: `{${text}}`,
      got,
      wanted,
      next: 'See src/lessons/README.md for what can be asked.',
    });
  }
}

/** What is on screen there. */
interface Scene extends Ground {
  readonly update: UpdateState | null;
  readonly state: TreeState | null;
  readonly tree: RecordedTree | null; // once it is grown
  readonly credit: Recredit | null;
}

interface Reader {
  readonly kind: QuantityKind;
  readonly of: 'node' | 'tree';
  readonly read: (scene: Scene, node: NodeId) => number | null | undefined;
}

const ofNode = (kind: QuantityKind, read: Reader['read']): Reader => ({ kind, of: 'node', read });
const ofTree = (kind: QuantityKind, read: (scene: Scene) => number | null | undefined): Reader => ({
  kind,
  of: 'tree',
  read,
});

/** The number that every token of the turn is trained with; null where rows differ, as null is where there is none. */
function advantageOf({ tree, credit }: Scene, node: NodeId): number | null {
  const range = tree && credit ? advantageRanges(tree, credit)[node] : null;
  return range && range[0] === range[1] ? range[0] : null;
}

const end =
  (side: 0 | 1): Reader['read'] =>
  ({ tree, credit }, node) =>
    tree && credit ? advantageRanges(tree, credit)[node]?.[side] : null;

/** Weight with which a node enters its parent's value. */
const weightOf: Reader['read'] = ({ state, credit }, node) => {
  const parent = state?.nodes[node]?.parent;
  const step = credit?.values.trace.find((entry) => entry.node === parent);
  return step?.terms.find((term) => term.node === node)?.weight;
};

const candidateOf = ({ state, selection }: Scene, node: NodeId) => {
  const record = state?.expansions[selection.round ?? state.expansions.length - 1];
  return record?.candidates.find((candidate) => candidate.node === node);
};

const sampledTokens = ({ state }: Scene, node: NodeId): number | undefined =>
  state?.nodes[node]?.mask.filter((bit) => bit !== 0).length;

/** To add a number that lessons may ask for: a line. A longer name is tried before a shorter one. */
const READERS: Readonly<Record<string, Reader>> = {
  reward: ofNode('plain', ({ credit, state }, node) => (credit ?? state)?.rewards?.[node]),
  'normalised reward': ofNode('signed', ({ credit }, node) => credit?.normalised.byNode[node]),
  value: ofNode('signed', ({ credit }, node) => credit?.values.byNode[node]),
  weight: ofNode('plain', weightOf),
  advantage: ofNode('signed', advantageOf),
  'least advantage': ofNode('signed', end(0)),
  'greatest advantage': ofNode('signed', end(1)),
  surprisal: ofNode('nats', ({ state }, node) => state?.nodes[node]?.turnSurprisal),
  'leaves below': ofNode('count', ({ tree }, node) => tree && leavesBelow(tree, node).length),
  children: ofNode('count', ({ state }, node) => state?.nodes[node]?.children.length),
  tokens: ofNode('count', sampledTokens),
  'masked tokens': ofNode('count', (scene, node) => {
    const all = scene.state?.nodes[node]?.tokens.length;
    return all === undefined ? null : all - (sampledTokens(scene, node) ?? 0);
  }),
  'turns to': ofNode('count', ({ state }, node) => state && pathTo(state, node).length - 1),
  score: ofNode('plain', (scene, node) => candidateOf(scene, node)?.score),
  penalty: ofNode('plain', (scene, node) => candidateOf(scene, node)?.penalty),
  'sibling count': ofNode('count', (scene, node) => candidateOf(scene, node)?.siblingCount),
  rank: ofNode('count', (scene, node) => {
    const rank = candidateOf(scene, node)?.rank;
    return rank === undefined ? null : rank + 1; // people count from 1
  }),
  picks: ofNode('count', (scene, node) => candidateOf(scene, node)?.pickCount),
  leaves: ofTree('count', ({ state }) => state?.leaves.length),
  turns: ofTree(
    'count',
    ({ state }) => state && state.nodes.filter((node) => node?.pruned === false).length - 1,
  ),
  'first turns': ofTree('count', ({ state }) => state?.nodes[ROOT]?.children.length),
  'right leaves': ofTree(
    'count',
    ({ state }) => state?.leaves.filter((leaf) => state.rewards?.[leaf] === 1).length,
  ),
  candidates: ofTree(
    'count',
    ({ state, selection }) => state?.expansions[selection.round ?? 0]?.candidates.length,
  ),
  rounds: ofTree('count', ({ state }) => state?.expansions.length),
  'mean of rewards': ofTree('plain', ({ credit }) => credit?.normalised.statistics.mean),
  'deviation of rewards': ofTree('plain', ({ credit }) => credit?.normalised.statistics.deviation),
  'trees of the update': ofTree('count', ({ update }) => update?.trees.length),
  'dead trees of the update': ofTree('count', ({ update }) => update?.trees.filter(isDead).length),
  'exact match of the update': ofTree('share', ({ update }) => update?.metrics?.exactMatch),
  'dead share of the update': ofTree('share', ({ update }) => update?.metrics?.deadTrees),
  'depth of the update': ofTree('plain', ({ update }) => update?.metrics?.depth),
  updates: ofTree('count', ({ run }) => run.updates.length),
};

export const QUANTITIES: readonly string[] = Object.keys(READERS);

type NodeOf = (scene: Scene) => NodeId | null;

function nodePlace(text: string): NodeOf | null {
  if (text === 'root') return () => ROOT;
  if (text === 'node') return ({ selection }) => selection.node;
  const [, id] = /^n(\d{1,5})$/.exec(text) ?? [];
  if (id !== undefined) return () => nodeId(Number(id));
  const rowOf: NodeOf = ({ state, selection }) => selection.leaf ?? (state && bestLeaf(state));
  if (text === 'leaf') return rowOf;
  const [, turn] = /^turn (\d{1,3})$/.exec(text) ?? []; // of the row on screen, from 1
  if (turn === undefined) return null;
  return (scene) => {
    const leaf = rowOf(scene);
    return (leaf !== null && scene.state && pathTo(scene.state, leaf)[Number(turn)]?.id) || null;
  };
}

interface Parsed {
  readonly reader: Reader;
  readonly node: NodeOf | null;
  readonly rules: Partial<CreditChoice>;
}

function parseRules(text: string, names: string): Partial<CreditChoice> {
  return names.split(' and ').reduce<Partial<CreditChoice>>((rules, name) => {
    if ((VALUE_RULES as readonly string[]).includes(name)) return { ...rules, valueRule: name as ValueRule };
    if ((ADVANTAGE_RULES as readonly string[]).includes(name))
      return { ...rules, advantageRule: name as AdvantageRule };
    if (name === 'raw rewards') return { ...rules, leafNormalisation: false };
    if (name === 'normalised rewards') return { ...rules, leafNormalisation: true };
    throw new ExpressionError(
      text,
      quote(name),
      'a value rule, an advantage rule, raw or normalised rewards',
    );
  }, {});
}

/** @throws ExpressionError naming what is not understood */
export function parseExpression(text: string): Parsed {
  const [asked, names] = text.trim().split(' under ');
  const rules = names === undefined ? {} : parseRules(text, names);
  const whole = READERS[asked];
  if (whole?.of === 'tree') return { reader: whole, node: null, rules };
  const [, name, where] = /^(.+?)(?: of)? (root|node|leaf|n\d+|turn \d+)$/.exec(asked) ?? [];
  const reader = READERS[name ?? ''];
  const node = nodePlace(where ?? '');
  if (!reader || reader.of !== 'node' || !node)
    throw new ExpressionError(text, quote(asked), `one of ${QUANTITIES.join(', ')}; of a turn, where it is`);
  return { reader, node, rules };
}

function sceneOf({ run, selection }: Ground, rules: Partial<CreditChoice>): Scene {
  const choice = { ...selection, ...rules };
  const update = selectedUpdate(run, choice);
  const state = selectedTree(run, choice);
  const own = creditRulesOf(run, choice);
  const credit = state && own && update ? recredit(state, own, choice, update.trees) : null;
  return { run, selection: choice, update, state, tree: state && rolloutTree(state), credit };
}

/** @throws ExpressionError where the text asks for nothing that there is */
export function evaluate(text: string, ground: Ground): Quantity {
  const { reader, node, rules } = parseExpression(text);
  const scene = sceneOf(ground, rules);
  const at = node ? node(scene) : ROOT;
  const value = at === null ? null : (reader.read(scene, at) ?? null);
  return { value, kind: reader.kind, node: node ? at : null };
}
