/** What rollouts say beside their trees, in the form that any record has it: counts, log-probabilities, boundaries, rewards of turns. */
import { nodeId, type RolloutFacts, type TokenCount, type TurnFacts } from '../../units.ts';
import { isTurn, promptOf, tokenCount, type MaybeNumbers, type Rollout, type Span } from './rollout.ts';
import type { GroupRow, GroupTree } from './trees.ts';

/** Over the spans whose tokens are known; null where there is none. */
function countOf(spans: readonly Span[]): TokenCount | null {
  const known = spans.flatMap((each) => {
    const tokens = tokenCount(each);
    return tokens === null ? [] : [{ tokens, mask: each.tokens?.mask ?? null }];
  });
  if (known.length === 0) return null;
  const inLoss = known.map(({ mask }) => mask?.filter(Boolean).length ?? null);
  const total = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0);
  return {
    tokens: total(known.map(({ tokens }) => tokens)),
    inLoss: inLoss.includes(null) ? null : total(inLoss as readonly number[]),
  };
}

/** Those of the tokens under the loss; null where the list is of another length than the tokens. */
function trained({ tokens }: Span, list: MaybeNumbers | null | undefined): MaybeNumbers | null {
  const { mask, ids } = tokens ?? { mask: null, ids: null };
  const length = (ids ?? mask)?.length ?? list?.length;
  if (!list || list.length !== length || (mask && mask.length !== length)) return null;
  const own = list.filter((_, at) => mask?.[at] !== false);
  return own.some((each) => each !== null) ? own : null;
}

/** What a turn had read since the turn before, and which; the turns above are one node. */
const stateKey = ({ segments, prompt }: GroupRow, path: readonly number[], index: number): string => {
  const { spans } = segments[index];
  const read = spans.slice(0, spans.findIndex(isTurn)).map(({ author, text }) => [author, text]);
  return JSON.stringify(index === 0 ? [prompt, read] : [path[index - 1], read]);
};

function turnFacts(row: GroupRow, path: readonly number[], index: number, state: number): TurnFacts {
  const { spans } = row.segments[index];
  const turn = spans.find(isTurn)!; // each segment has one
  const read = [...(index === 0 ? promptOf(row.row) : []), ...spans.filter((each) => each !== turn)];
  const { tokens } = turn;
  return {
    ...{ node: nodeId(path[index]), after: nodeId(path[index - 1] ?? 0), state, index },
    ...{ calls: turn.calls.length, read: countOf(read), written: countOf([turn]) },
    ...{ hasIds: tokens?.ids != null, endsInLoss: tokens?.mask?.at(-1) ?? null },
    ...{ reward: turn.reward, advantage: turn.advantage ?? row.rollout.advantage },
    ...{ sampler: trained(turn, tokens?.logProbs), trainer: trained(turn, tokens?.trainerLogProbs) },
    boundary: turn.boundary,
  };
}

const placeOf = ({ id, place: { path, line } }: Rollout): string =>
  `${path}:${line}${id === '' ? '' : ` (${id.slice(0, 40)})`}`;

/** The rollouts of a tree, in the order of its rows. @param prompt index of the group in its update */
export function factsOf({ rows, paths }: GroupTree, prompt: number): readonly RolloutFacts[] {
  const states = new Map<string, number>();
  const stateOf = (key: string): number => {
    const state = states.get(key) ?? states.size;
    states.set(key, state);
    return state;
  };
  const byRollout = new Map<Rollout, number[]>();
  rows.forEach(({ rollout }, row) => byRollout.set(rollout, [...(byRollout.get(rollout) ?? []), row]));
  return [...byRollout].map(([rollout, own]) => {
    const turns = new Map<number, TurnFacts>();
    for (const row of own)
      paths[row].forEach((node, index) => {
        if (!turns.has(node))
          turns.set(
            node,
            turnFacts(rows[row], paths[row], index, stateOf(stateKey(rows[row], paths[row], index))),
          );
      });
    const { reward, advantage, ending } = rollout;
    const calls = [...turns.values()].reduce((sum, each) => sum + each.calls, 0);
    return {
      ...{ prompt, leaf: nodeId(paths[own[0]].at(-1) ?? 0), rows: own.length, place: placeOf(rollout) },
      ...{ reward, advantage, ending, calls, turns: [...turns.values()] },
    };
  });
}
