/** How a mini-batch's ratios and advantages spread, with the clip band drawn in. */
import { useMemo } from 'react';
import { batchSpread, histogram } from '../../store/batch_reading.ts';
import { clipBandOf } from '../../store/loss_reading.ts';
import type { MinibatchState } from '../../store/run_state.ts';
import type { LossConfig } from '../../units.ts';
import { countWords, formatCount, formatRatio, formatSigned } from '../format.ts';
import { Histogram } from './Histogram.tsx';
import { LEVEL_WORDS, hasRatio } from './loss_words.ts';

const BINS = 41; // odd: one bin holds the middle

/** Bins about `middle` that reach what lies farthest from it. */
function about(values: readonly number[], middle: number, least: number) {
  const reach = values.reduce((most, value) => Math.max(most, Math.abs(value - middle)), least) || 1;
  return histogram(values, middle - reach, middle + reach, BINS);
}

interface SpreadPanelProps {
  readonly minibatch: MinibatchState;
  readonly config: LossConfig;
}

function ratioSentence(ratios: readonly number[], outside: number, config: LossConfig): string {
  const level = LEVEL_WORDS[config.ratioLevel];
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  const range = `${countWords(ratios.length, level)}, from ${formatRatio(least)} to ${formatRatio(most)}`;
  if (most - least < 1e-5 && Math.abs(most - 1) < 1e-5)
    return `${range}: the policy has not moved since it sampled them, as in the first mini-batch of an update.`;
  if (config.surrogate !== 'clip') return `${range}.`;
  return `${range}; ${formatCount(outside)} ${outside === 1 ? 'lies' : 'lie'} outside the band.`;
}

function advantageSentence(advantages: readonly number[]): string {
  const up = advantages.filter((value) => value > 0).length;
  const down = advantages.filter((value) => value < 0).length;
  const mean = advantages.reduce((sum, value) => sum + value, 0) / Math.max(1, advantages.length);
  return `${countWords(advantages.length, 'token')}: ${formatCount(up)} above zero, ${formatCount(down)} below, ${formatCount(advantages.length - up - down)} at zero; mean ${formatSigned(mean, 3)}.`;
}

export function SpreadPanel({ minibatch, config }: SpreadPanelProps) {
  const { ratios, outside, advantages } = useMemo(() => batchSpread(minibatch, config), [minibatch, config]);
  const band = config.surrogate === 'clip' ? clipBandOf(config) : undefined;
  const bandReach = band ? Math.max(1 - band[0], band[1] - 1) : 1e-6;
  return (
    <section className="panel" aria-label="Distributions">
      <h2>Ratios and advantages of mini-batch {minibatch.minibatch + 1}</h2>
      <div className="spread">
        {hasRatio(config) && ratios.length > 0 && (
          <Histogram
            title="Ratios"
            sentence={ratioSentence(ratios, outside, config)}
            bins={about(ratios, 1, 1.5 * bandReach)}
            {...(band && { band })}
            middle={1}
            format={formatRatio}
          />
        )}
        <Histogram
          title="Advantages"
          sentence={advantageSentence(advantages)}
          bins={about(advantages, 0, 0)}
          middle={0}
          format={(value) => formatSigned(value)}
        />
      </div>
    </section>
  );
}
