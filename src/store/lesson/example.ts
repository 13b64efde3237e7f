/**
 * Small trees that a person makes, with no policy behind them: a text that fits an address, the events of a record, edits.
 *
 *     0.2(0.7=1,0.7=0),0.5=0
 *
 * is two first turns; the first has surprisal 0.2 nats and two leaves below it, with rewards 1 and 0. A turn's surprisal may be
 * left out: it is 0 then. Ids count in the order of the text, from n1.
 */
import type { RunEvent } from '../../protocol/protocol.ts';
import {
  countWords,
  LabError,
  nodeId,
  quote,
  ROOT,
  tokenId,
  type NodeId,
  type TurnNode,
} from '../../units.ts';

/** A turn and what follows it; a leaf has a reward and nothing below. */
export interface ExampleTurn {
  readonly surprisal: number; // H, nats per token
  readonly reward: number | null; // dimensionless; null: turns follow
  readonly children: readonly ExampleTurn[];
}

/** The first turns of the tree. */
export type Example = readonly ExampleTurn[];

export const EXAMPLE_BOUNDS = { turns: 64, depth: 12, surprisal: 10, reward: 10 } as const;

export class ExampleError extends LabError {
  constructor(text: string, place: number, wanted: string) {
    super('ExampleError', {
      what: 'This is not a tree of turns',
      where: `character ${place + 1} of the example`,
      got: quote(text.slice(place, place + 20)),
      wanted,
      next: 'Write turns as surprisal=reward or surprisal(turns,…), for instance 0.2(0.7=1,0.7=0),0.5=0.',
    });
  }
}

const NUMBER = /-?(?:\d{1,4}(?:\.\d{0,6})?|\.\d{1,6})/y;

/** @throws ExampleError naming the character */
export function parseExample(text: string): Example {
  let at = 0;
  let turns = 0;
  const refuse = (wanted: string): never => {
    throw new ExampleError(text, at, wanted);
  };
  const number = (least: number, most: number): number | null => {
    NUMBER.lastIndex = at;
    const found = NUMBER.exec(text)?.[0];
    if (found === undefined) return null;
    const value = Number(found);
    if (!(value >= least && value <= most)) refuse(`a number from ${least} to ${most}`);
    at += found.length;
    return value;
  };
  const turn = (depth: number): ExampleTurn => {
    if (depth > EXAMPLE_BOUNDS.depth)
      refuse(`at most ${countWords(EXAMPLE_BOUNDS.depth, 'turn')} below each other`);
    turns += 1;
    if (turns > EXAMPLE_BOUNDS.turns) refuse(`at most ${countWords(EXAMPLE_BOUNDS.turns, 'turn')}`);
    const surprisal = number(0, EXAMPLE_BOUNDS.surprisal) ?? 0;
    if (text[at] === '=') {
      at += 1;
      const reward = number(-EXAMPLE_BOUNDS.reward, EXAMPLE_BOUNDS.reward);
      return { surprisal, reward: reward ?? refuse('the reward of the leaf'), children: [] };
    }
    if (text[at] !== '(') refuse('= and a reward, or ( and the turns that follow');
    at += 1;
    const children = list(depth + 1);
    if (text[at] !== ')') refuse(', and another turn, or )');
    at += 1;
    return { surprisal, reward: null, children };
  };
  const list = (depth: number): Example => {
    const found = [turn(depth)];
    while (text[at] === ',') {
      at += 1;
      found.push(turn(depth));
    }
    return found;
  };
  const example = list(1);
  if (at < text.length) refuse(', and another turn, or the end');
  return example;
}

const short = (value: number): string => String(Number(value.toFixed(6)));

export const writeExample = (example: Example): string =>
  example
    .map(({ surprisal, reward, children }) => {
      const head = surprisal === 0 ? '' : short(surprisal);
      return reward === null ? `${head}(${writeExample(children)})` : `${head}=${short(reward)}`;
    })
    .join();

// As a record: a run of one update with one tree, and no recipe.

const WORDS = ['Question', ' searches', ' result', ' answers'] as const;
const [QUESTION, SEARCHES, RESULT, ANSWERS] = WORDS.map((_, id) => tokenId(id));

interface Placed {
  readonly turn: ExampleTurn;
  readonly node: TurnNode;
}

/** Turns by id, from n1 on. A turn writes one word; the tool's result opens the turns that follow another. */
function placed(example: Example): readonly Placed[] {
  const all: Placed[] = [];
  const add = (turn: ExampleTurn, parent: NodeId, depth: number): void => {
    const id = nodeId(all.length + 1);
    const isLeaf = turn.reward !== null;
    const opened = depth > 0;
    all.push({
      turn,
      node: {
        ...{ id, parent, children: [], tree: 0, depth },
        origin: { kind: 'imported', inferred: false },
        tokens: [...(opened ? [RESULT] : []), isLeaf ? ANSWERS : SEARCHES],
        mask: opened ? [0, 1] : [1],
        logProb: [...(opened ? [0] : []), 0 - turn.surprisal],
        entropy: null,
        turnSurprisal: turn.surprisal,
        lastGenerationLength: 1,
        callCount: depth + (isLeaf ? 0 : 1),
        ending: turn.reward === null ? null : turn.reward < 0 ? 'malformed' : 'answer',
        pruned: false,
      },
    });
    turn.children.forEach((child) => add(child, id, depth + 1));
  };
  example.forEach((turn) => add(turn, ROOT, 0));
  return all;
}

/** The log of a run that is this one tree. */
export function exampleEvents(example: Example): readonly RunEvent[] {
  const all = placed(example);
  const update = 1;
  const leaves = all // breadth-first, as rows are
    .filter(({ turn }) => turn.reward !== null)
    .toSorted((a, b) => a.node.depth - b.node.depth || a.node.id - b.node.id)
    .map(({ node }) => node.id);
  const prompt = { index: 0, dataset: '', seed: null, tokens: [QUESTION], answer: null };
  return [
    {
      kind: 'run-started',
      ...{ config: null, adapter: null, environment: null, parameterCount: null },
      ...{ origin: { kind: 'example' }, tokens: 'words', date: '' },
    },
    { kind: 'texts', texts: [...WORDS] },
    { kind: 'update-started', update, prompts: [prompt] },
    { kind: 'phase', update, phase: 'rollout' },
    ...all.map(({ node }): RunEvent => ({ kind: 'node', update, prompt: 0, node })),
    { kind: 'leaves', update, prompt: 0, leaves, pruned: [] },
    { kind: 'phase', update, phase: 'reward' },
    {
      kind: 'rewards',
      update,
      trees: [{ prompt: 0, byNode: [null, ...all.map(({ turn }) => turn.reward)] }],
    },
    { kind: 'update-ended', update },
  ];
}

// Edits. Each gives a new example; a turn is named by its id.

/** Puts others in the place of a turn. */
function replaced(
  example: Example,
  id: NodeId,
  change: (turn: ExampleTurn) => readonly ExampleTurn[],
): Example {
  let count = 0;
  const walk = (turns: Example): Example =>
    turns.flatMap((turn) => {
      count += 1;
      const isIt = count === id;
      const children = walk(turn.children); // all are counted, changed or not
      return isIt ? change({ ...turn, children }) : [emptied({ ...turn, children }, turn)];
    });
  return walk(example);
}

/** A turn that has lost all that followed it ends there, and earns nothing. */
const emptied = (turn: ExampleTurn, before: ExampleTurn): ExampleTurn =>
  turn.children.length === 0 && before.children.length > 0 ? { ...turn, reward: 0 } : turn;

const NEW_LEAF: ExampleTurn = { surprisal: 0.5, reward: 0, children: [] };
const NEW_TURN: ExampleTurn = { surprisal: 0.5, reward: null, children: [NEW_LEAF] };

/** Adds a turn as the last that follows `parent`; a leaf that gets one is a leaf no more. A new turn ends in a leaf. */
export function addedTurn(example: Example, parent: NodeId, kind: 'turn' | 'leaf'): Example {
  const turn = kind === 'leaf' ? NEW_LEAF : NEW_TURN;
  if (parent === ROOT) return [...example, turn];
  return replaced(example, parent, (above) => [
    { ...above, reward: null, children: [...above.children, turn] },
  ]);
}

export const changedTurn = (
  example: Example,
  id: NodeId,
  change: Partial<Pick<ExampleTurn, 'surprisal' | 'reward'>>,
): Example => replaced(example, id, (turn) => [{ ...turn, ...change }]);

/** Takes a turn out with all that follows it. The last first turn stays: a tree has one at least. */
export function removedTurn(example: Example, id: NodeId): Example {
  const rest = replaced(example, id, () => []);
  return rest.length === 0 ? example : rest;
}

/** Id of the turn that `addedTurn` adds below `parent`. */
export function addedId(example: Example, parent: NodeId): NodeId {
  const sizeOf = (turns: Example): number =>
    turns.reduce((sum, { children }) => sum + 1 + sizeOf(children), 0);
  if (parent === ROOT) return nodeId(sizeOf(example) + 1);
  let found: ExampleTurn | undefined;
  replaced(example, parent, (turn) => [(found = turn)]);
  return nodeId(parent + sizeOf(found?.children ?? []) + 1);
}
