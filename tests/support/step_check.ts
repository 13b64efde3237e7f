/** The engine's answer to "did the step do what it promised?" for one row, as a test says it went. */
import type { LossRow, StepCheck } from '../../src/protocol/protocol.ts';

/**
 * @param predicted change of log-probability, nats, one per trained-on token of the row
 * @param after log-probability after the step, nats
 */
export const stepCheckOf = (
  { prompt, leaf, tokenIndex, logProb, dlogProb }: LossRow,
  predicted: readonly number[],
  after: readonly number[],
): StepCheck => ({
  update: 1,
  steps: [
    {
      ...{ minibatch: 0, learningRate: 1e-3, parameterChange: 0.01, lossBefore: 0.5, lossAfter: 0.49 },
      ...{ predicted: -0.0105, throughTokens: -0.0102, correlation: 0.75, followed: 0.5, pushed: 12 },
      ...{ predictedThroughTokens: -0.0104, forecastCorrelation: 0.875 },
      rows: [
        {
          prompt,
          leaf,
          tokenIndex,
          before: logProb,
          after,
          predicted,
          push: dlogProb.map((slope) => -slope),
        },
      ],
    },
  ],
});
