/** Training steps of an import as curves: over all its rollouts, those that are not at hand included. */
import { useMemo } from 'react';
import type { StepSummary } from '../../store/record/import_advice.ts';
import { useLab, useUpdateNumber } from '../parts/binding.ts';
import { Chart } from '../parts/Chart.tsx';
import type { Curve } from '../parts/curve_data.ts';
import { countWords, formatNumber } from '../parts/format.ts';

interface Measure {
  readonly key: string;
  readonly title: string;
  readonly meaning: string;
  readonly of: (step: StepSummary) => number | null;
}

const per = (sum: number, count: number): number | null => (count === 0 ? null : sum / count);

export const MEASURES: readonly Measure[] = [
  {
    key: 'reward',
    title: 'Reward',
    meaning: 'mean over scored rollouts',
    of: ({ rewardMean }) => rewardMean,
  },
  { key: 'spread', title: 'Spread of rewards', meaning: 'standard deviation within a group, mean over groups', of: ({ rewardSpread }) => rewardSpread }, // prettier-ignore
  { key: 'dead', title: 'Dead groups', meaning: 'share of groups of two or more whose rewards are all equal', of: ({ deadGroups, liveGroups }) => per(deadGroups, deadGroups + liveGroups) }, // prettier-ignore
  {
    key: 'calls',
    title: 'Tool calls',
    meaning: 'per rollout',
    of: ({ calls, rollouts }) => per(calls, rollouts),
  },
  { key: 'turns', title: 'Turns', meaning: 'per rollout', of: ({ turns, rollouts }) => per(turns, rollouts) },
  { key: 'length', title: 'Length', meaning: 'characters that the policy wrote, per rollout', of: ({ characters }) => characters }, // prettier-ignore
  { key: 'surprisal', title: 'Surprisal', meaning: 'nats per token, mean over turns', of: ({ surprisal }) => surprisal }, // prettier-ignore
];

/** Of two steps or more; a measure that no step knows has no curve. */
export function StepCurves({ steps }: { readonly steps: readonly StepSummary[] }) {
  const { selection } = useLab();
  const selected = useUpdateNumber();
  const curves = useMemo(
    () =>
      MEASURES.flatMap(({ key, title, meaning, of }): Curve[] => {
        const values = steps.map(of);
        if (values.every((value) => value === null)) return [];
        return [{ key, title, unit: 'share', meaning, top: null, series: [{ label: meaning, style: 'line', values: [null, ...values] }] }]; // prettier-ignore
      }),
    [steps],
  );
  if (steps.length < 2) return null;
  const at = steps.findIndex(({ update }) => update === selected);
  const named = at < 0 ? steps.length - 1 : at;
  const stepWords = (index: number): string => (steps[index].step === null ? 'unknown step' : `step ${steps[index].step}`); // prettier-ignore
  const x = [0, ...steps.map((_, index) => index + 1)];
  const pick = (index: number): void => {
    const update = steps[index - 1]?.update;
    if (update != null) selection.select({ update });
  };
  return (
    <section className="step-curves" aria-label="Over the steps">
      <h3>
        Over {countWords(steps.length, 'step')}, {stepWords(0)} to {stepWords(steps.length - 1)} · values at{' '}
        {stepWords(named)}
      </h3>
      <div className="step-charts">
        {curves.map((curve) => (
          <figure key={curve.key} data-measure={curve.key}>
            <figcaption title={curve.meaning}>
              <span className="heading">{curve.title}</span>{' '}
              <b className="number">{formatNumber(curve.series[0].values[named + 1])}</b>{' '}
              <span className="small soft">{curve.meaning}</span>
            </figcaption>
            <Chart
              {...{ curve, x, xMax: steps.length, withX: true, selected: named + 1 }}
              summary={`${curve.title}, ${curve.meaning}: ${formatNumber(curve.series[0].values[1])} at ${stepWords(0)}, ${formatNumber(curve.series[0].values.at(-1))} at ${stepWords(steps.length - 1)}`}
              onPoint={() => undefined}
              onPick={pick}
            />
          </figure>
        ))}
      </div>
    </section>
  );
}
