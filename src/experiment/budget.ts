/** What a run may use, in five currencies, so that methods that sample differently can be given the same. Pure. */
import type { RunEvent } from '../protocol/protocol.ts';

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

/** What has been spent after an event of the run's log. */
export function spend(spent: Spending, event: RunEvent): Spending {
  if (event.kind === 'node') {
    const { origin, tokens, callCount, depth } = event.node;
    if (origin.kind === 'root' || origin.kind === 'duplicate') return spent; // a copy costs nothing
    const own = callCount - depth; // calls on the path, less the answers that it had read before
    return { ...spent, generated: spent.generated + tokens.length, calls: spent.calls + own };
  }
  if (event.kind !== 'metrics') return spent;
  const { sampledTokens, rolloutMs, trainMs } = event.metrics;
  return {
    ...{ ...spent, updates: spent.updates + 1, tokens: spent.tokens + sampledTokens },
    seconds: spent.seconds + (rolloutMs + trainMs) / 1000,
  };
}

/** A run ends after the update in which this first holds, so it may use up to an update more than its budget. */
export const isUsedUp = (spent: Spending, { by, amount }: Budget): boolean => spent[by] >= amount;
