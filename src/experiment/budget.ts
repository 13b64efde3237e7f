/** What a run may use, in five currencies, so that methods that sample differently can be given the same. Pure. */
import type { EventOf, RunEvent } from '../protocol/protocol.ts';
import type { NodeId } from '../units.ts';

/**
 * The currencies, and what one unit of each is. What a method samples beside its trees (ReMax's greedy paths, A*-PO's reference samples) is in
 * the seconds alone: no event tells of it.
 */
export const CURRENCIES = {
  updates: 'rollout batches, each with its optimiser steps',
  tokens: 'tokens that the policy sampled in all trees, dropped groups included',
  generated: 'tokens of the turns of all trees as they grew, the tools’ answers included, a shared turn once',
  calls: 'tool calls in all trees as they grew, a shared one once',
  seconds: 'wall clock of rollout and training, without evaluation and pauses',
} as const;
export type Currency = keyof typeof CURRENCIES;
/** A currency's unit as a person reads it: in a form, over a column. */
export const CURRENCY_UNITS: Readonly<Record<Currency, string>> = {
  updates: 'updates',
  tokens: 'sampled tokens',
  generated: 'generated tokens',
  calls: 'tool calls',
  seconds: 'seconds',
};
export const CURRENCY_NAMES = Object.keys(CURRENCIES) as readonly Currency[];

export interface Budget {
  readonly by: Currency;
  readonly amount: number;
}

/** Of one run so far, in every currency. */
export type Spending = Readonly<Record<Currency, number>>;

export const NOTHING_SPENT: Spending = { updates: 0, tokens: 0, generated: 0, calls: 0, seconds: 0 };

/**
 * Counts a run's events from an update's end on: each call gives what has been spent by then.
 * @param spent by the events before
 */
export function spendingMeter(spent: Spending = NOTHING_SPENT): (event: RunEvent) => Spending {
  const paths = new Map<string, number>(); // tool calls on the path to each turn of this update
  return (event) => {
    if (event.kind === 'node') spent = add(spent, nodeSpending(event, paths));
    if (event.kind !== 'metrics') return spent;
    paths.clear();
    const { sampledTokens, rolloutMs, trainMs } = event.metrics;
    const seconds = (rolloutMs + trainMs) / 1000;
    return (spent = add(spent, { updates: 1, tokens: sampledTokens, seconds }));
  };
}

const add = (spent: Spending, { updates = 0, tokens = 0, generated = 0, calls = 0, seconds = 0 }: Partial<Spending>): Spending => ({
  updates: spent.updates + updates,
  tokens: spent.tokens + tokens,
  generated: spent.generated + generated,
  calls: spent.calls + calls,
  seconds: spent.seconds + seconds,
}); // prettier-ignore

/** A turn's own calls: those on its path less those that it began with. */
function nodeSpending({ prompt, node }: EventOf<'node'>, paths: Map<string, number>): Partial<Spending> {
  const { id, origin, parent, tokens, callCount } = node;
  const on = (other: NodeId | null): number => paths.get(`${prompt} ${other}`) ?? 0;
  paths.set(`${prompt} ${id}`, callCount);
  if (origin.kind === 'root' || origin.kind === 'duplicate') return {}; // a copy costs nothing
  const begun = origin.kind === 'expansion' ? Math.max(0, on(origin.resampled) - 1) : on(parent); // as TreeBuilder.resample
  return { generated: tokens.length, calls: callCount - begun };
}

/** What a whole log has spent. */
export function spentBy(log: readonly RunEvent[]): Spending {
  const read = spendingMeter();
  return log.map(read).at(-1) ?? NOTHING_SPENT;
}

/** A run ends after the update in which this first holds, so it may use up to an update more than its budget. */
export const isUsedUp = (spent: Spending, { by, amount }: Budget): boolean => spent[by] >= amount;
