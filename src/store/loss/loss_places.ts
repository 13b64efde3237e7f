/**
 * Places of an update's loss that are worth a look: the largest push, turns that are clipped, tokens where two rules part.
 * All in the order in which they are read: prompts, rows of a prompt, tokens of a row. Pure.
 */
import type { CreditConfig, LossConfig, NodeId } from '../../units.ts';
import { firstDisagreement, otherRule, tokenPairs, underRule } from '../credit/compare.ts';
import { isAvailable, type RuleChoice } from '../credit/credit.ts';
import { pathTo, rolloutTree } from '../record/reading.ts';
import type { MinibatchState, TreeState, UpdateState } from '../record/run_state.ts';
import { lossTokens, type LossToken } from './loss_reading.ts';

/** A token of a row. */
export interface LossPlace {
  readonly prompt: number; // Prompt.index
  readonly leaf: NodeId;
  readonly position: number; // in the row, prompt included, from 0
}

interface TrainedRow {
  readonly minibatch: MinibatchState;
  readonly state: TreeState;
  readonly leaf: NodeId;
  readonly tokens: readonly LossToken[];
}

/** The rows of an update that are in a mini-batch, in reading order. */
function trainedRows({ trees, minibatches }: UpdateState, config: LossConfig): readonly TrainedRow[] {
  return trees.flatMap((state, prompt) =>
    state.leaves.flatMap((leaf) =>
      minibatches.flatMap((minibatch): TrainedRow[] => {
        const row = minibatch.rows.find((entry) => entry.prompt === prompt && entry.leaf === leaf);
        return row ? [{ minibatch, state, leaf, tokens: lossTokens(row, minibatch, config) }] : [];
      }),
    ),
  );
}

/** A token with the push that reaches it, summed over the rows that share it. */
export interface PushPlace extends LossPlace {
  readonly net: number; // Σ ∂loss/∂logProb of those rows
  readonly own: number; // of this row
}

interface SharedToken {
  net: number; // summed while rows are read
  readonly next: Map<number, SharedToken>; // by token id
}

const follow = (at: SharedToken, token: number): SharedToken => {
  const known = at.next.get(token) ?? { net: 0, next: new Map<number, SharedToken>() };
  at.next.set(token, known);
  return known;
};

/** Of each row the token with the largest net push, of equal ones that with the largest share. Rows share what begins alike. */
export function largestPushes(update: UpdateState, config: LossConfig): readonly PushPlace[] {
  const roots = new Map<MinibatchState, Map<number, SharedToken>>();
  const rows = trainedRows(update, config).map(({ minibatch, state, leaf, tokens }) => {
    const { index: prompt } = state.prompt;
    const byPrompt = roots.get(minibatch) ?? new Map<number, SharedToken>();
    roots.set(minibatch, byPrompt);
    let at = byPrompt.get(prompt) ?? { net: 0, next: new Map<number, SharedToken>() };
    byPrompt.set(prompt, at);
    const scored = new Map(tokens.map((token) => [token.position, token]));
    const shared: { readonly token: LossToken; readonly of: SharedToken }[] = [];
    const ids = pathTo(state, leaf).flatMap((node) => node.tokens);
    ids.forEach((id, place) => {
      at = follow(at, id);
      const token = scored.get(state.prompt.tokens.length + place);
      if (!token) return;
      at.net += token.dlogProb;
      shared.push({ token, of: at });
    });
    return { prompt, leaf, shared };
  });
  return rows.flatMap(({ prompt, leaf, shared }) => {
    const pushes = shared.map(({ token, of }): PushPlace => ({ prompt, leaf, position: token.position, net: of.net, own: token.dlogProb })); // prettier-ignore
    return pushes.length === 0 ? [] : [largestPush(pushes)].flatMap((push) => push ?? []);
  });
}

/** The largest of them; of equal ones the first. Null without any. */
export const largestPush = (pushes: readonly PushPlace[]): PushPlace | null =>
  pushes.reduce<PushPlace | null>((most, push) => {
    const more = most
      ? Math.abs(push.net) - Math.abs(most.net) || Math.abs(push.own) - Math.abs(most.own)
      : 1;
    return more > 0 ? push : most;
  }, null);

/** The first clipped token of every turn of a row that holds one; `turns` counts all. */
export function clippedTurns(
  update: UpdateState,
  config: LossConfig,
): { readonly places: readonly LossPlace[]; readonly turns: number } {
  const rows = trainedRows(update, config);
  const places = rows.flatMap(({ state, leaf, tokens }) =>
    tokens
      .filter(({ clipState }) => clipState !== 0)
      .filter(({ turn }, at, clipped) => clipped[at - 1]?.turn !== turn)
      .map(({ position }): LossPlace => ({ prompt: state.prompt.index, leaf, position })),
  );
  const turns = rows.reduce((sum, { tokens }) => sum + new Set(tokens.map(({ turn }) => turn)).size, 0);
  return { places, turns };
}

/**
 * In every row the first token that one rule pushes and the other does not, or pushes the other way.
 * @param against the second rule's choices; null there: what Compare takes
 */
export function disagreements(
  { own, update, config, against, contextLength }: {
    readonly own: CreditConfig; // the rules that trained the run
    readonly update: UpdateState;
    readonly config: LossConfig;
    readonly against: RuleChoice;
    readonly contextLength: number; // tokens at which a row is cut
  }, // prettier-ignore
): readonly LossPlace[] {
  const second = { ...against, advantageRule: against.advantageRule ?? otherRule(own.advantageRule) };
  const first: RuleChoice = { valueRule: null, advantageRule: null, leafNormalisation: null };
  const trained = new Set(trainedRows(update, config).map(({ state, leaf }) => `${state.prompt.index} ${leaf}`)); // prettier-ignore
  return update.trees.flatMap((state) => {
    const tree = rolloutTree(state);
    if (!tree || state.dropped || !state.rewards) return [];
    if (!isAvailable(second.advantageRule, own, state) || !isAvailable(own.advantageRule, own, state))
      return [];
    const [a, b] = [first, second].map((choice) => underRule(update, state, own, choice));
    if (!a || !b) return [];
    return tree.leaves.flatMap((leaf): LossPlace[] => {
      if (!trained.has(`${state.prompt.index} ${leaf}`)) return [];
      const parted = firstDisagreement(tokenPairs(tree, a, b, leaf, contextLength));
      return parted ? [{ prompt: state.prompt.index, leaf, position: parted.position }] : [];
    });
  });
}

const compare = (a: LossPlace, b: LossPlace, update: UpdateState): number => {
  const place = ({ prompt, leaf }: LossPlace): number => update.trees[prompt]?.leaves.indexOf(leaf) ?? -1;
  return a.prompt - b.prompt || place(a) - place(b) || a.position - b.position;
};

/** The next of places in reading order, and round: after the last comes the first. Null without any. */
export function nextPlace(
  update: UpdateState,
  places: readonly LossPlace[],
  from: LossPlace,
  direction: 1 | -1 = 1,
): LossPlace | null {
  const ordered = direction === 1 ? places : places.toReversed();
  return ordered.find((place) => compare(place, from, update) * direction > 0) ?? ordered[0] ?? null;
}
