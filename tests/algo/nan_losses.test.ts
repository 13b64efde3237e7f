/** A number that is none stays none: no loss, no KL estimate and no statistic makes a finite gradient of it. */
import { expect, test } from 'vitest';
import { TOKEN_LOSS, TURN_LOSS } from '../../src/algo/catalogue/defaults.ts';
import { clipTerm, gateTerm } from '../../src/algo/loss/loss_terms.ts';
import { klTerm } from '../../src/algo/loss/penalties.ts';
import { rowTerm } from '../../src/algo/loss/row_losses.ts';
import { KL_KINDS } from '../../src/units.ts';

const INPUTS = { advantage: -0.23, clipScale: 1, ratioFactor: 1 };

test('NaN in what a clip or a gate reads gives a loss and a gradient of NaN', () => {
  for (const config of [
    TURN_LOSS,
    TOKEN_LOSS,
    { ...TOKEN_LOSS, lowerEdge: 'soft', upperEdge: 'soft' } as const,
  ])
    for (const advantage of [-0.23, 0, 0.7])
      for (const termOf of [clipTerm, gateTerm]) {
        const inputs = { ...INPUTS, advantage };
        for (const term of [
          termOf(NaN, inputs, config),
          termOf(0.01, { ...inputs, advantage: NaN }, config),
          termOf(0.01, { ...inputs, ratioFactor: NaN }, config),
          ...(termOf === clipTerm ? [termOf(0.01, { ...inputs, clipScale: NaN }, config)] : []),
        ])
          expect([term.tokenLoss, term.dlogProb]).toEqual([NaN, NaN]);
      }
});

test('every KL estimate of NaN is NaN with its gradient; an infinite one has none, unless k3 cuts it', () => {
  for (const kind of KL_KINDS) {
    expect(klTerm(kind, NaN, -1)).toEqual({ kl: NaN, dlogProb: NaN });
    expect(klTerm(kind, -1, NaN)).toEqual({ kl: NaN, dlogProb: NaN });
    const far = klTerm(kind, -1, -Infinity);
    expect(far).toEqual(kind === 'k3' ? { kl: 10, dlogProb: 0 } : { kl: Infinity, dlogProb: NaN });
  }
});

test('rows whose log-ratio is not finite have no gradient where they have no loss', () => {
  const inputs = { weight: [0.5, 0.5], target: [0.1, 0.2], partner: [1, -1] };
  for (const surrogate of ['regression', 'preference'] as const) {
    expect(rowTerm(0, { ...inputs, logRatio: [NaN, 0] }, { surrogate, beta: 0.1 })).toEqual({
      loss: NaN,
      dlogProb: NaN,
    });
    expect(rowTerm(0, { ...inputs, logRatio: [-Infinity, 0] }, { surrogate, beta: 0.1 })).toEqual({ loss: Infinity, dlogProb: NaN }); // prettier-ignore
  }
  const won = rowTerm(0, { ...inputs, logRatio: [Infinity, 0] }, { surrogate: 'preference', beta: 0.1 });
  expect(won.loss).toBe(0);
  expect(won.dlogProb).toBeCloseTo(0, 12);
});
