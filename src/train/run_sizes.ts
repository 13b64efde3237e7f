import type { RunSizes } from '../../shaders/sized_cases.ts';
import type { KernelBatch } from './protocol.ts';

const MOST_TOKENS = 192; // the oracles' plain loops in float64 would take seconds beyond

/** Sizes of a run's model, and the lengths of its first rows up to their last scored token. */
export function runSizes({ config, rows }: KernelBatch): RunSizes {
  const { channels, heads, kvHeads, headSize, hidden, vocabularySize } = config.model;
  const lengths = rows.map(({ tokenIndex }) => (tokenIndex.at(-1) ?? 0) + 1);
  const taken: number[] = [];
  let tokens = 0;
  for (const length of lengths) {
    tokens += length;
    if (taken.length > 0 && tokens > MOST_TOKENS) break;
    taken.push(length);
  }
  return {
    ...{ channels, heads, kvHeads, headSize, hidden, vocabulary: vocabularySize },
    rowLengths: taken,
    inverseTemperature: 1 / config.temperature,
  };
}
