/**
 * Small expressions by which a lesson asks the lab for a number: `value of n1`, `advantage of turn 2 under diff_parent`,
 * `deviation of rewards`, `depth of update 3`, `loss of the mini-batch`, `rows of token 12`. What can be asked is in
 * quantities.ts, the grammar in src/lessons/README.md. Pure.
 */
import { creditRulesOf, recredit, type CreditChoice } from '../credit/credit.ts';
import { pathTo, rolloutTree, selectedTree, selectedUpdate } from '../record/reading.ts';
import type { ClipWhatIf } from '../place/selection.ts';
import {
  ADVANTAGE_RULES,
  LabError,
  nodeId,
  quote,
  ROOT,
  VALUE_RULES,
  type AdvantageRule,
  type NodeId,
  type RatioLevel,
  type ValueRule,
} from '../../units.ts';
import {
  OF_MINIBATCH,
  OF_NODE,
  OF_TOKEN,
  OF_TREE,
  OF_UPDATE,
  rowLeaf,
  type Ground,
  type QuantityKind,
  type Readers,
  type Scene,
} from './quantities.ts';

export type { Ground } from './quantities.ts';

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

const named = (readers: Readers<never>, place: string): readonly string[] =>
  Object.keys(readers).map((name) => `${name}${place}`);

/** All that can be asked, each of some place. */
export const QUANTITIES: readonly string[] = [
  ...named(OF_NODE, ' of n1'),
  ...named(OF_TREE, ''),
  ...named(OF_UPDATE, ' of the update'),
  ...named(OF_MINIBATCH, ' of the mini-batch'),
  ...named(OF_TOKEN, ' of the token'),
];

type NodeOf = (scene: Scene) => NodeId | null;

function nodePlace(text: string): NodeOf | null {
  if (text === 'root') return () => ROOT;
  if (text === 'node') return ({ selection }) => selection.node;
  const [, id] = /^n(\d{1,5})$/.exec(text) ?? [];
  if (id !== undefined) return () => nodeId(Number(id));
  if (text === 'leaf') return rowLeaf;
  const [, turn] = /^turn (\d{1,3})$/.exec(text) ?? []; // of the row on screen, from 1
  if (turn === undefined) return null;
  return (scene) => {
    const leaf = rowLeaf(scene);
    return (leaf !== null && scene.state && pathTo(scene.state, leaf)[Number(turn)]?.id) || null;
  };
}

/** Rules in place of those of the step. */
interface Rules extends Partial<CreditChoice> {
  readonly clip?: ClipWhatIf;
  readonly ratioLevel?: RatioLevel;
}

interface Parsed {
  readonly kind: QuantityKind;
  readonly read: (scene: Scene, node: NodeId | null) => number | null | undefined;
  readonly node: NodeOf | null; // that it is of
  readonly update: number | null; // null: the step's
  readonly rules: Rules;
}

function parseRule(text: string, name: string): Rules {
  if ((VALUE_RULES as readonly string[]).includes(name)) return { valueRule: name as ValueRule };
  if ((ADVANTAGE_RULES as readonly string[]).includes(name)) return { advantageRule: name as AdvantageRule };
  if (name === 'raw rewards') return { leafNormalisation: false };
  if (name === 'normalised rewards') return { leafNormalisation: true };
  if (name === 'token ratios') return { ratioLevel: 'token' };
  const [, low, high] = /^band (0|0?\.\d+) (0|0?\.\d+)$/.exec(name) ?? [];
  if (low !== undefined && high !== undefined) return { clip: { low: Number(low), high: Number(high) } };
  throw new ExpressionError(
    text,
    quote(name),
    'a value rule, an advantage rule, raw or normalised rewards, token ratios, or band and its two ε',
  );
}

/** What is asked and of what; null where there is no such number. */
function parseAsked(asked: string): Omit<Parsed, 'rules'> | null {
  const none = { node: null, update: null };
  const [, name = '', place = '', count] = /^(.+?) (?:of )?(the update|update (\d{1,5})|the mini-batch|the token|token \d{1,5}|root|node|leaf|n\d+|turn \d+)$/.exec(asked) ?? []; // prettier-ignore
  if (Object.hasOwn(OF_TREE, asked)) return { ...OF_TREE[asked], ...none };
  if (place === 'the mini-batch' && Object.hasOwn(OF_MINIBATCH, name))
    return { ...OF_MINIBATCH[name], ...none };
  if (/^(the )?update/.test(place) && Object.hasOwn(OF_UPDATE, name))
    return { ...OF_UPDATE[name], node: null, update: count === undefined ? null : Number(count) };
  if (/^(the )?token/.test(place) && Object.hasOwn(OF_TOKEN, name)) {
    const { kind, read } = OF_TOKEN[name];
    const [, position] = /(\d+)$/.exec(place) ?? [];
    return {
      ...{ ...none, kind },
      read: (scene) => {
        const at = position === undefined ? scene.selection.token : Number(position);
        return at === null ? null : read(scene, at);
      },
    };
  }
  const node = nodePlace(place);
  if (!node || !Object.hasOwn(OF_NODE, name)) return null;
  const { kind, read } = OF_NODE[name];
  return { kind, read: (scene, at) => (at === null ? null : read(scene, at)), node, update: null };
}

/** @throws ExpressionError naming what is not understood */
export function parseExpression(text: string): Parsed {
  const [asked, names] = text.trim().split(' under ');
  const rules = names?.split(' and ').map((name) => parseRule(text, name)) ?? [];
  const parsed = parseAsked(asked);
  if (!parsed) throw new ExpressionError(text, quote(asked), `one of ${QUANTITIES.join(', ')}`);
  return { ...parsed, rules: Object.assign({}, ...rules) as Rules };
}

function sceneOf({ run, selection }: Ground, { rules, update: asked }: Parsed): Scene {
  const { ratioLevel = null, ...changed } = rules;
  const choice = { ...selection, ...changed, update: asked ?? selection.update };
  const isThere = asked === null || asked <= run.updates.length;
  const update = isThere ? selectedUpdate(run, choice) : null;
  const state = selectedTree(run, choice);
  const own = creditRulesOf(run, choice);
  const credit = state && own && update ? recredit(state, own, choice, update.trees) : null;
  const tree = state && rolloutTree(state);
  return { run, selection: choice, update, state, tree, credit, ratioLevel };
}

/** @throws ExpressionError where the text asks for nothing that there is */
export function evaluate(text: string, ground: Ground): Quantity {
  const parsed = parseExpression(text);
  const scene = sceneOf(ground, parsed);
  const at = parsed.node && parsed.node(scene);
  return { value: parsed.read(scene, at) ?? null, kind: parsed.kind, node: at };
}
