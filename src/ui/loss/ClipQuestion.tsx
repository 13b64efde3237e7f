/** What if the clip band were another? Turns that flip, and the loss and push that would result. */
import { useMemo } from 'react';
import { askClip } from '../../store/loss/loss_reading.ts';
import type { MinibatchState } from '../../store/record/run_state.ts';
import type { LossConfig } from '../../units.ts';
import { useLab, useSelection } from '../parts/binding.ts';
import { countWords, formatCount, formatNumber, formatSetting, formatSigned } from '../parts/format.ts';
import { Label } from '../parts/Term.tsx';
import { LEVEL_WORDS } from './loss_words.ts';

// Places of the clip sliders: logarithmic, since bands run from 0.0003 (turn ratios) to 0.3 (token ratios). Pure.

/** Last place of a slider; place 0 is ε = 0. */
export const CLIP_SLIDER = 100;
const LEAST = 1e-5;
const MOST = 1;

export const clipOfSlider = (place: number): number =>
  place <= 0 ? 0 : LEAST * (MOST / LEAST) ** ((place - 1) / (CLIP_SLIDER - 1));

export function sliderOfClip(clip: number): number {
  if (clip <= 0) return 0;
  const place = 1 + ((CLIP_SLIDER - 1) * Math.log(clip / LEAST)) / Math.log(MOST / LEAST);
  return Math.min(CLIP_SLIDER, Math.max(1, Math.round(place)));
}

interface FieldProps {
  readonly label: string;
  readonly value: number; // ε
  readonly own: number; // the run's
  readonly onChange: (clip: number) => void;
}

function ClipField({ label, value, own, onChange }: FieldProps) {
  return (
    <>
      <span>{label}</span>
      <input
        type="range"
        min={0}
        max={CLIP_SLIDER}
        value={sliderOfClip(value)}
        aria-label={label}
        aria-valuetext={formatSetting(value)}
        onChange={({ target }) => {
          const place = Number(target.value);
          onChange(place === sliderOfClip(own) ? own : clipOfSlider(place));
        }}
      />
      <output className="number">{formatSetting(value, 3)}</output>
    </>
  );
}

interface ClipQuestionProps {
  readonly minibatch: MinibatchState;
  readonly config: LossConfig;
}

export function ClipQuestion({ minibatch, config }: ClipQuestionProps) {
  const { selection } = useLab();
  const asked = useSelection((state) => state.clip);
  const clipLow = asked?.low ?? config.clipLow;
  const clipHigh = asked?.high ?? config.clipHigh;
  const answer = useMemo(
    () => askClip(minibatch, config, { clipLow, clipHigh }),
    [minibatch, config, clipLow, clipHigh],
  );
  const level = LEVEL_WORDS[config.ratioLevel];
  return (
    <section className="panel" aria-label="Clip band">
      <div className="panel-head">
        <h2>
          <Label>What if the clip band were another?</Label>
        </h2>
        {asked && (
          <button type="button" onClick={() => selection.select({ clip: null })}>
            Back to the run’s own
          </button>
        )}
      </div>
      <div className="clip-fields">
        <ClipField
          label="ε low"
          value={clipLow}
          own={config.clipLow}
          onChange={(low) => selection.select({ clip: { low, high: clipHigh } })}
        />
        <ClipField
          label="ε high"
          value={clipHigh}
          own={config.clipHigh}
          onChange={(high) => selection.select({ clip: { low: clipLow, high } })}
        />
      </div>
      <p className="small" role="status">
        <strong>
          {formatCount(answer.flippedGroups)} of {countWords(answer.groups, level)}{' '}
          {answer.flippedGroups === 1 ? 'flips' : 'flip'}
        </strong>{' '}
        ({formatCount(answer.flippedTokens)} of {countWords(answer.tokens, 'token')}):{' '}
        {countWords(answer.silenced, 'token')} {answer.silenced === 1 ? 'loses its' : 'lose their'} gradient,{' '}
        {formatCount(answer.freed)} {answer.freed === 1 ? 'gets' : 'get'} one. Clipped{' '}
        {answer.clippedTokens === 1 ? 'is' : 'are'} then {countWords(answer.clippedTokens, 'token')}, the loss
        is <span className="number">{formatSigned(answer.loss, 5)}</span> and Σ|∂L/∂logπ|{' '}
        <span className="number">{formatNumber(answer.push, 4)}</span>.
      </p>
      <p className="small soft">
        The same log-probabilities under another band: what this mini-batch’s loss would have been, not what
        training with that band would lead to.
      </p>
    </section>
  );
}
