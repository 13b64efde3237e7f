/**
 * Numbers that lessons state, computed in plain recursions that share no code with the lab: of a small tree from its text, of a
 * run from its log. Of a trained run it takes what was sampled and how likely that was, rewards, and the gradient's norm.
 */
import type { RunEvent } from '../../src/protocol/protocol.ts';
import type { Selection } from '../../src/store/place/selection.ts';
import {
  exampleTree,
  isDead,
  leavesOf,
  logOf,
  mean,
  ofKind,
  recordedTree,
  sum,
  Credit,
  type Log,
  type Turn,
  type Rules,
} from './lesson_trees.ts';

type Asked = Partial<Selection>;

// The loss of a mini-batch, from the log-probabilities that it was computed with.

interface Word {
  readonly prompt: number;
  readonly leaf: number;
  readonly position: number; // in the row, the question included
  readonly turn: number; // in the row
  readonly prefix: string; // all words of the row up to this one
  readonly own: number; // ratio of the word
  readonly ratio: number; // of its turn
  readonly now: number; // probability
  readonly weight: number;
  readonly advantage: number;
  readonly clipped: boolean;
  readonly loss: number;
  readonly slope: number;
}

interface Batch {
  readonly words: readonly Word[];
  readonly prompts: ReadonlySet<number>;
  readonly rows: number;
  readonly minibatch: number;
}

function batchesOf(
  log: Log,
  update: number,
  rules: Rules,
  level = 'turn',
  band?: readonly [number, number],
): readonly Batch[] {
  // prettier-ignore
  const { clipLow, clipHigh } = log.config.algorithm.loss;
  const [low, high] = band ?? [clipLow, clipHigh];
  return ofKind(log, update, 'loss').map(({ rows, minibatch }) => {
    const credits = new Map<number, Credit>();
    const creditOf = (prompt: number): Credit => {
      const credit = credits.get(prompt) ?? new Credit(recordedTree(log, update, prompt), rules);
      credits.set(prompt, credit);
      return credit;
    };
    const words = rows.flatMap((row) => {
      const credit = creditOf(row.prompt);
      const leaf = credit.turns.get(row.leaf)!;
      const path = credit.path(leaf);
      const texts = path.flatMap((turn) => turn.words);
      const owners = path.flatMap((turn) => turn.words.map((_, at) => (turn.sampled[at] ? turn : null)));
      const positions = owners.flatMap((owner, position) => (owner ? [position] : []));
      const logRatios = row.logProb.map((logProb, at) => logProb - row.oldLogProb[at]);
      const advantages = new Map(path.map((turn) => [turn, credit.advantage(turn, leaf)!]));
      return positions.map((position, at): Word => {
        const owner = owners[position]!;
        const ofTurn = mean(logRatios.filter((_, other) => owners[positions[other]] === owner));
        const advantage = advantages.get(owner)!;
        const ratio = Math.exp(level === 'turn' ? ofTurn : logRatios[at]);
        const held = Math.min(Math.max(ratio, 1 - low), 1 + high);
        const clipped = -advantage * held > -advantage * ratio;
        const weight = 1 / (rows.length * positions.length);
        return {
          ...{
            prompt: row.prompt,
            leaf: row.leaf,
            position,
            turn: owner.id,
            ratio,
            advantage,
            clipped,
            weight,
          },
          prefix: texts.slice(0, position + 1).join(),
          own: Math.exp(logRatios[at]),
          now: Math.exp(row.logProb[at]),
          loss: -advantage * (clipped ? held : ratio),
          slope: clipped ? 0 : -weight * advantage * ratio,
        };
      });
    });
    return { words, minibatch, rows: rows.length, prompts: new Set(rows.map(({ prompt }) => prompt)) };
  });
}

const batches = new WeakMap<Log, Map<string, readonly Batch[]>>();

function rememberedBatches(
  log: Log,
  ...rest: readonly [number, Rules, string?, (readonly [number, number])?]
): readonly Batch[] {
  // prettier-ignore
  const known = batches.get(log) ?? new Map<string, readonly Batch[]>();
  batches.set(log, known);
  const key = JSON.stringify(rest);
  const found = known.get(key) ?? batchesOf(log, ...rest);
  known.set(key, found);
  return found;
}

function ofBatch(name: string, batch: Batch, own: Batch, log: Log, update: number): number | undefined {
  const { words, prompts, rows, minibatch } = batch;
  const weighted = (test: (word: Word) => boolean, of: (word: Word) => number): number =>
    sum(words.filter(test).map((word) => word.weight * of(word)));
  const dead = [...prompts].filter((prompt) => isDead(recordedTree(log, update, prompt)));
  const answers: Readonly<Record<string, () => number>> = {
    rows: () => rows,
    tokens: () => words.length,
    loss: () => weighted(() => true, ({ loss }) => loss), // prettier-ignore
    'exact loss': () => weighted(() => true, ({ loss }) => loss), // prettier-ignore
    gain: () => weighted(({ loss }) => loss < 0, ({ loss }) => loss), // prettier-ignore
    cost: () => weighted(({ loss }) => loss > 0, ({ loss }) => loss), // prettier-ignore
    'signed advantage': () => weighted(() => true, ({ advantage }) => advantage), // prettier-ignore
    'gradient norm': () =>
      ofKind(log, update, 'step').find((step) => step.minibatch === minibatch)!.gradientNorm,
    'tokens pushed up': () => words.filter(({ slope }) => slope < 0).length,
    'tokens pushed down': () => words.filter(({ slope }) => slope > 0).length,
    prompts: () => prompts.size,
    'dead prompts': () => dead.length,
    'clipped tokens': () => words.filter(({ clipped }) => clipped).length,
    'flipped turns': () => new Set(words.flatMap((word, at) => word.clipped === own.words[at].clipped ? [] : [`${word.prompt} ${word.leaf} ${word.turn}`])).size, // prettier-ignore
  };
  return answers[name]?.();
}

function ofWord(
  name: string,
  word: Word,
  { words }: Batch,
  band: readonly [number, number],
): number | undefined {
  // prettier-ignore
  const same = words.filter(({ prompt, prefix }) => prompt === word.prompt && prefix === word.prefix);
  const answers: Readonly<Record<string, number>> = {
    ...{ 'own ratio': word.own, ratio: word.ratio, advantage: word.advantage, weight: word.weight },
    ...{ loss: word.loss, push: word.slope, probability: word.now, rows: same.length },
    ...{ 'lower edge': 1 - band[0], 'upper edge': 1 + band[1] },
    'net weight': sum(same.map(({ weight }) => weight)),
    'net push': sum(same.map(({ slope }) => slope)),
  };
  return answers[name];
}

// An update.

function ofUpdate(name: string, log: Log, update: number, rules: Rules): number | undefined {
  const trees = ofKind(log, update, 'update-started')[0].prompts.map(({ index }) => recordedTree(log, update, index)); // prettier-ignore
  const leaves = trees.flatMap(leavesOf);
  const first = leaves.filter((leaf) => leaf.first);
  const shareOf = <T>(items: readonly T[], test: (item: T) => boolean): number =>
    items.filter(test).length / items.length;
  const hasRight = (root: Turn): boolean => leavesOf(root).some(({ reward }) => reward === 1);
  const paths = (): readonly (readonly Turn[])[][] =>
    trees.map((root) => {
      const credit = new Credit(root, rules);
      return credit.leaves.map((leaf) => credit.path(leaf));
    });
  const rows = (): readonly (readonly number[])[][] =>
    paths().map((tree) => tree.map((path) => path.flatMap(({ words }) => words)));
  const answers: Readonly<Record<string, () => number>> = {
    trees: () => trees.length,
    'dead trees': () => trees.filter(isDead).length,
    'all-right trees': () => trees.filter((root) => isDead(root) && hasRight(root)).length,
    'all-wrong trees': () => trees.filter((root) => isDead(root) && !hasRight(root)).length,
    'trees with a right leaf': () => trees.filter(hasRight).length,
    'live trees without a right leaf': () => trees.filter((root) => !isDead(root) && !hasRight(root)).length,
    'exact match': () => shareOf(first, ({ reward }) => reward === 1),
    'dead share': () => shareOf(trees, isDead),
    'malformed share': () => shareOf(leaves, ({ reward }) => reward! < 0),
    'clipped share': () => mean(rememberedBatches(log, update, rules).map(({ words }) => shareOf(words, ({ clipped }) => clipped))), // prettier-ignore
    depth: () => mean(paths().flatMap((tree) => tree.map((path) => path.length - 1))),
    'tool calls': () => mean(leaves.map(({ calls }) => calls)),
    'row tokens': () => sum(rows().flatMap((tree) => tree.map((row) => row.length))),
    'unique tokens': () => sum(rows().map((tree) => new Set(tree.flatMap((row) => row.map((_, at) => row.slice(0, at + 1).join()))).size)), // prettier-ignore
  };
  return answers[name]?.();
}

// A tree and its turns.

/** Candidates of a round as they stood when it was chosen: all turns with something below, and the question. */
function candidatesOf(
  log: Log,
  { update, prompt, round }: Required<Pick<Selection, 'update' | 'prompt' | 'round'>>,
) {
  // prettier-ignore
  const events = log.of.get(update!)!.filter((event) => 'prompt' in event && event.prompt === prompt);
  const rounds = events.filter((event) => event.kind === 'expansion');
  const before = events.slice(0, events.indexOf(rounds[round ?? rounds.length - 1]));
  const nodes = before.flatMap((event) => (event.kind === 'node' ? [event.node] : []));
  const depthOf = (id: number): number => nodes.find((node) => node.id === id)?.depth ?? -1;
  const parents = [...new Set([0, ...nodes.flatMap(({ parent }) => parent ?? [])])].toSorted((a, b) => depthOf(a) - depthOf(b) || a - b); // prettier-ignore
  const scored = parents.map((id) => {
    const node = nodes.find((each) => each.id === id);
    const siblings = nodes.filter(({ parent }) => parent === (node?.parent ?? 0)).length - 1;
    const surprisal = node ? -mean(node.logProb!.filter((_, at) => node.mask[at] === 1)) : 0;
    const penalty = log.config.algorithm.rollout.siblingPenalty * siblings;
    return { id, siblings, penalty, score: surprisal - penalty };
  });
  return scored.map((each) => ({ ...each, rank: 1 + scored.filter((other) => other.score > each.score + 1e-9).length })); // prettier-ignore
}

function ofTree(
  asked: string,
  credit: Credit,
  against: string,
  calls: { readonly rounds: number; readonly candidates: number; readonly updates: number },
): number | undefined {
  // prettier-ignore
  const pairs = (): readonly (readonly [number, number])[] =>
    credit.leaves.flatMap((leaf) =>
      credit.path(leaf).flatMap((turn) => {
        const pair = [credit.advantage(turn, leaf)!, credit.advantage(turn, leaf, against)!] as const;
        return turn.sampled.flatMap((own) => (own ? [pair] : []));
      }),
    );
  const dot = (a: 0 | 1, b: 0 | 1): number => sum(pairs().map((pair) => pair[a] * pair[b]));
  const answers: Readonly<Record<string, () => number>> = {
    ...{ rounds: () => calls.rounds, candidates: () => calls.candidates, updates: () => calls.updates },
    leaves: () => credit.leaves.length,
    turns: () => credit.turns.size - 1,
    'first turns': () => credit.root.below.length,
    'right leaves': () => credit.leaves.filter(({ reward }) => reward === 1).length,
    'mean of rewards': () => credit.mean(),
    'deviation of rewards': () => credit.deviation(),
    'trained tokens': () => pairs().length,
    'opposite tokens': () => pairs().filter(([a, b]) => a * b < 0).length,
    'cosine of the rules': () => dot(0, 1) / Math.sqrt(dot(0, 0) * dot(1, 1)),
  };
  return answers[asked]?.();
}

function ofTurn(name: string, turn: Turn, credit: Credit, leaf: Turn): number | undefined {
  const rows = credit.leaves.filter((end) => credit.path(end).includes(turn));
  const pushes = (): readonly number[] => rows.map((row) => credit.advantage(turn, row)!);
  const siblings = credit.turns.get(turn.parent)?.below ?? [];
  const count = (path: readonly Turn[], sampled: boolean): number =>
    sum(path.map((each) => each.sampled.filter((own) => own === sampled).length));
  const answers: Readonly<Record<string, () => number | undefined>> = {
    reward: () => turn.reward ?? undefined,
    'normalised reward': () => credit.normalised(turn.reward!),
    value: () => credit.value(turn),
    weight: () => credit.weights(credit.turns.get(turn.parent)!)[siblings.indexOf(turn)],
    advantage: () => pushes()[0],
    'least advantage': () => Math.min(...pushes()),
    'greatest advantage': () => Math.max(...pushes()),
    'row advantage': () => credit.advantage(turn, leaf),
    surprisal: () => turn.surprisal,
    'leaves below': () => rows.length,
    children: () => turn.below.length,
    tokens: () => count([turn], true),
    'masked tokens': () => count([turn], false),
    'sampled tokens to': () => count(credit.path(turn).slice(1), true),
    'masked tokens to': () => count(credit.path(turn).slice(1), false),
    'turns to': () => credit.path(turn).length - 1,
  };
  return answers[name]?.();
}

/**
 * @param selection the step's
 * @param events of the run that it is about; none of an example
 * @returns the number, or undefined where this oracle knows none of that kind
 */
export function oracle(
  expression: string,
  selection: Asked,
  events: readonly RunEvent[] = [],
): number | undefined {
  // prettier-ignore
  const [asked, under] = expression.split(' under ');
  const { example = null, prompt = 0, round = null, token = null, clip } = selection;
  const log = example === null ? logOf(events) : null;
  const own = log?.config.algorithm.credit;
  const trained: Rules = {
    value: own?.valueRule ?? 'child_mean',
    advantage: own?.advantageRule ?? 'node_value',
    normalise: own?.leafNormalisation ?? true,
  };
  let rules: Rules = {
    value: selection.valueRule ?? trained.value,
    advantage: selection.advantageRule ?? trained.advantage,
    normalise: selection.leafNormalisation ?? trained.normalise,
  };
  const band = log && ([log.config.algorithm.loss.clipLow, log.config.algorithm.loss.clipHigh] as const);
  let level = 'turn';
  let wanted: readonly [number, number] | undefined = clip ? [clip.low, clip.high] : undefined;
  for (const name of under?.split(' and ') ?? [])
    if (name === 'token ratios') level = 'token';
    else if (name.startsWith('band ')) wanted = name.split(' ').slice(1).map(Number) as [number, number];
    else if (/^(child|leaf)_/.test(name)) rules = { ...rules, value: name };
    else if (/ rewards$/.test(name)) rules = { ...rules, normalise: name !== 'raw rewards' };
    else rules = { ...rules, advantage: name };
  const updates = log ? Math.max(...log.of.keys()) : 1;
  const [, name = asked, place, count] = /^(.+?) (?:of )?(the update|update (\d+)|the mini-batch|the token|token (?:\d+)|root|node|leaf|n\d+)$/.exec(asked) ?? []; // prettier-ignore
  const update = Number(count ?? selection.update ?? updates);
  if (log && /update/.test(place ?? '')) return ofUpdate(name, log, update, trained);
  const credit = new Credit(example === null ? recordedTree(log!, update, prompt) : exampleTree(example), rules); // prettier-ignore
  const leaf = selection.leaf ?? credit.leaves.toSorted((a, b) => b.reward! - a.reward!)[0].id;
  if (log && /mini-batch|token/.test(place ?? '') && place) {
    const isRow = (word: Word): boolean => word.prompt === prompt && word.leaf === leaf;
    const inBatch = ({ words }: Batch): boolean => words.some(isRow);
    const ownBatch = rememberedBatches(log, update, trained).find(inBatch)!;
    if (place === 'the mini-batch') {
      const batch = rememberedBatches(log, update, trained, level, wanted).find(inBatch)!;
      return ofBatch(name, batch, ownBatch, log, update);
    }
    const position = Number(/\d+/.exec(place)?.[0] ?? token);
    const word = ownBatch.words.find((each) => isRow(each) && each.position === position);
    return word && ofWord(name, word, ownBatch, band!);
  }
  if (place === undefined) {
    const isRound = asked === 'rounds' || asked === 'candidates';
    const rounds = log && isRound ? ofKind(log, update, 'expansion').filter((event) => event.prompt === prompt).length : 0; // prettier-ignore
    const candidates = log && isRound && rounds > 0 ? candidatesOf(log, { update, prompt, round: round ?? 0 }).length : 0; // prettier-ignore
    const against = selection.againstAdvantage ?? (rules.advantage === 'vanilla' ? 'node_value' : 'vanilla');
    return ofTree(asked, credit, against, { rounds, candidates, updates });
  }
  const id =
    place === 'root' ? 0 : place === 'leaf' ? leaf : Number(/\d+/.exec(place)?.[0] ?? selection.node);
  const ofRound = { score: 'score', penalty: 'penalty', 'sibling count': 'siblings', rank: 'rank' } as const;
  if (log && Object.hasOwn(ofRound, name)) {
    const candidate = candidatesOf(log, { update, prompt, round }).find((each) => each.id === id);
    return candidate?.[ofRound[name as keyof typeof ofRound]];
  }
  if (log && name === 'turn ratio') {
    const words = rememberedBatches(log, update, trained).flatMap((batch) => batch.words);
    return words.find((word) => word.prompt === prompt && word.leaf === leaf && word.turn === id)?.ratio;
  }
  const turn = credit.turns.get(id);
  return turn && ofTurn(name, turn, credit, credit.turns.get(leaf)!);
}
