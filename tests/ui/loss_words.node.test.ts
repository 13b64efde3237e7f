import { expect, test } from 'vitest';
import { TOKEN_LOSS, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { clipBand, clipTerm, gateTerm } from '../../src/algo/loss/loss_terms.ts';
import type { LossToken, LossTurn } from '../../src/store/loss/loss_reading.ts';
import {
  CLIP_WORDS,
  gradientFormula,
  lossFormula,
  outsideBand,
  turnState,
} from '../../src/ui/loss/loss_words.ts';
import type { LossConfig } from '../../src/units.ts';

/** A token as the store would read it. */
function tokenOf(logRatio: number, advantage: number, config: LossConfig): LossToken {
  const term = (config.surrogate === 'gate' ? gateTerm : clipTerm)(
    logRatio,
    { advantage, clipScale: 1, ratioFactor: 1 },
    config,
  );
  return {
    ...{ index: 0, position: 0, turn: 0, entropy: 1, weight: 0.5, advantage },
    ...{ oldLogProb: -1, logProb: -1 + logRatio, logRatio, levelLogRatio: logRatio },
    ...{ ratio: term.ratio, band: clipBand(config), clipState: term.clipState },
    ...{ tokenLoss: term.tokenLoss, dlogProb: 0.5 * term.dlogProb },
  };
}

/** The live formula's own arithmetic: products, max and min of the numbers it prints. */
function evaluate(live: string): number {
  const text = live
    .replaceAll('−', '-')
    .replaceAll('·', '*')
    .replaceAll('max', 'Math.max')
    .replaceAll('min', 'Math.min')
    .replaceAll('σ', '(x => 1 / (1 + Math.exp(-x)))');
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- our own formula
  const compute = new Function(`return ${text}`) as () => number;
  return compute();
}

const SOFT = { lowerEdge: 'soft', upperEdge: 'soft' } as const;
const CASES: readonly (readonly [string, number, number, LossConfig])[] = [
  ['inside the band', 0.1, 1.5, TOKEN_LOSS],
  ['clipped above', 0.5, 1.5, TOKEN_LOSS],
  ['clipped below', -0.5, -1.5, TOKEN_LOSS],
  ['at the dual clip', 1.5, -1.5, TOKEN_LOSS],
  ['at a soft upper edge', 0.5, 1.5, { ...TOKEN_LOSS, ...SOFT }],
  ['at a soft lower edge', -0.5, -1.5, { ...TOKEN_LOSS, ...SOFT }],
  ['at an upper edge that keeps half', 0.5, 1.5, { ...TOKEN_LOSS, ...SOFT, upperFactor: 0.5 }],
  ['at a lower edge that keeps half', -0.5, -1.5, { ...TOKEN_LOSS, ...SOFT, lowerFactor: 0.5 }],
  ['under a gate', 0.5, -1.5, { ...TOKEN_LOSS, surrogate: 'gate' }],
  ['on turn ratios', 0.002, 1.5, TURN_LOSS],
];

test.each(CASES)('the numbers in the formulas give the token’s loss and gradient: %s', (_, d, A, config) => {
  const token = tokenOf(d, A, config);
  expect(evaluate(lossFormula(token, config).live!)).toBeCloseTo(token.tokenLoss, 3);
  const { live } = gradientFormula(token, config);
  if (live !== null) expect(evaluate(live)).toBeCloseTo(token.dlogProb, 3);
  else expect(config.surrogate).toBe('gate');
});

test('losses of whole rows say so and print no numbers of other rows', () => {
  for (const surrogate of ['regression', 'preference', 'none'] as const) {
    const config: LossConfig = { ...TOKEN_LOSS, surrogate };
    const token = { ...tokenOf(0, 1, TOKEN_LOSS), clipState: 0 as const };
    expect(lossFormula(token, config).live).toBeNull();
    expect(gradientFormula(token, config).live).toBeNull();
  }
});

test('a turn whose tokens differ says how many are clipped', () => {
  const tokens = [tokenOf(0, 1, TOKEN_LOSS), tokenOf(0.5, 1, TOKEN_LOSS), tokenOf(0.1, 1, TOKEN_LOSS)];
  const turn = (clippedCount: number, clipState: LossTurn['clipState']): LossTurn => ({
    ...{ turn: 0, node: null, tokens, turnLogRatio: 0.2, turnRatio: 1.2, advantage: [1, 1] },
    ...{ clippedCount, clipState },
  });
  expect(turnState(turn(1, 0), TOKEN_LOSS)).toBe('1 of 3 tokens clipped');
  expect(turnState(turn(3, 1), TOKEN_LOSS)).toBe(CLIP_WORDS[1]);
  expect(turnState(turn(0, 0), TOKEN_LOSS)).toBe('not clipped');
  expect(turnState(turn(0, 0), { ...TOKEN_LOSS, surrogate: 'preference' })).toBe('loss of the whole pair');
});

test('a ratio beyond the band that is not clipped says why, and no other token does', () => {
  const beyond = Math.log(1 + TURN_LOSS.clipHigh) + 0.01;
  const below = Math.log(1 - TURN_LOSS.clipLow) - 0.01;
  expect(outsideBand(tokenOf(beyond, -1, TURN_LOSS), TURN_LOSS)).toMatch(
    /above the band.*A < 0 wants the token less likely.*become more likely/,
  );
  expect(outsideBand(tokenOf(below, 1, TURN_LOSS), TURN_LOSS)).toMatch(
    /below the band.*A > 0 wants the token more likely.*become less likely/,
  );
  expect(outsideBand(tokenOf(beyond, 0, TURN_LOSS), TURN_LOSS)).toContain('A = 0');
  expect(outsideBand(tokenOf(beyond, 1, TURN_LOSS), TURN_LOSS)).toBeNull(); // clipped
  expect(outsideBand(tokenOf(0, -1, TURN_LOSS), TURN_LOSS)).toBeNull(); // inside
});
