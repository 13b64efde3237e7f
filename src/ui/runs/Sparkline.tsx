/** A run's curve as one line: exact match of its rollouts by update, or the mean reward of an import. */
import { formatNumber, formatShare } from '../parts/format.ts';

/** Shares of 1 where the lab trained; of an import, rewards of any size. */
export type Measure = 'exact match' | 'reward';

const WIDTH = 96; // px
const HEIGHT = 22;
const RIM = 2;

/** @param curve shares from 0 to 1 */
export function curvePath(curve: readonly number[]): string {
  const step = (WIDTH - 2 * RIM) / Math.max(curve.length - 1, 1);
  const place = (share: number, index: number): string =>
    `${(RIM + index * step).toFixed(1)} ${(HEIGHT - RIM - share * (HEIGHT - 2 * RIM)).toFixed(1)}`;
  const points = curve.map(place);
  return points.length === 1 ? `M${points[0]}h0.1` : `M${points.join('L')}`;
}

/** Rewards between their least, at the bottom, and their most; where all are one, half way up. */
function ofRange(curve: readonly number[]): readonly number[] {
  const [least, most] = [Math.min(...curve), Math.max(...curve)];
  return curve.map((each) => (least === most ? 0.5 : (each - least) / (most - least)));
}

interface SparklineProps {
  readonly curve: readonly number[];
  readonly measure: Measure;
}

export function Sparkline({ curve: numbers, measure }: SparklineProps) {
  const isReward = measure === 'reward';
  if (numbers.length === 0)
    return <span className="soft">{isReward ? 'no reward known' : 'no update yet'}</span>;
  const [first, last, least, most] = [numbers[0], numbers[numbers.length - 1], Math.min(...numbers), Math.max(...numbers)].map((each) => (isReward ? formatNumber(each) : formatShare(each))); // prettier-ignore
  const words = isReward
    ? `Mean reward by update, from the lowest to the highest: first ${first}, last ${last}, lowest ${least}, highest ${most}`
    : `Exact match of the rollouts by update, 0 to 100 %: first ${first}, last ${last}, highest ${most}`;
  const curve = isReward ? ofRange(numbers) : numbers;
  return (
    <svg className="sparkline" width={WIDTH} height={HEIGHT} role="img" aria-label={words}>
      <path d={`M0 ${HEIGHT - RIM}H${WIDTH}`} stroke="var(--line)" />
      <path d={curvePath(curve)} fill="none" stroke="var(--accent)" strokeWidth="1.5" strokeLinecap="round" />
    </svg>
  );
}
