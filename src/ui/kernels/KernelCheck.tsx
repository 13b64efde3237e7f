/** A kernel beside its float64 oracle on this device: what was compared, on what, and how far apart. */
import type { KernelCheck as Check } from '../../store/ask/inspection.ts';
import { useInspection, useLab } from '../parts/binding.ts';
import { formatCount, formatMs, formatSetting } from '../parts/format.ts';
import { GradientTable } from './GradientTable.tsx';

const sayPlace = ({ batch }: Check): string =>
  batch ? `update ${batch.update}, mini-batch ${batch.minibatch + 1}` : '';

/** On what the kernel ran. */
function sayGround(check: Check): string {
  const { ground, batch, why } = check;
  if (!batch) return 'on the catalogue’s cases';
  if (ground === 'values') return `of ${sayPlace(check)}`;
  if (ground === 'sizes')
    return `on made-up values of the sizes of ${sayPlace(check)} (first rows only), since ${why}`;
  return `on the catalogue’s cases and not on ${sayPlace(check)}, since ${why}`;
}

function sayResult(check: Check): string {
  const { cases, ms } = check;
  const sum = (of: (entry: Check['cases'][number]) => number): number =>
    cases.reduce((total, entry) => total + of(entry), 0);
  const wrong = sum(({ mismatchCount }) => mismatchCount);
  const worst = cases
    .flatMap((entry) => entry.worst ?? [])
    .toSorted(
      (a, b) => b.error / (b.allowed || Number.MIN_VALUE) - a.error / (a.allowed || Number.MIN_VALUE),
    )[0];
  const numbers = `Checked ${formatCount(sum(({ checked }) => checked))} numbers ${sayGround(check)}`;
  const verdict =
    wrong === 0
      ? '✓ all agree with the float64 oracle'
      : `✕ ${formatCount(wrong)} differ from the float64 oracle`;
  const farthest = worst
    ? `; worst ${formatSetting(worst.error, 2)} of ${formatSetting(worst.allowed, 2)} allowed, at ${worst.tensor}[${worst.index}]`
    : '';
  return `${numbers}: ${verdict}${farthest}. ${formatMs(ms)}.`;
}

export function KernelCheck({ check }: { readonly check: Check }) {
  if (check.missing)
    return <p className="small">Not run: this device has no {check.missing}, and uses another kernel.</p>;
  return (
    <>
      <p className="small" role="status">
        {sayResult(check)}
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">case</th>
            <th scope="col">numbers</th>
            <th scope="col">wrong</th>
            <th scope="col">worst error</th>
            <th scope="col">allowed</th>
            <th scope="col">at</th>
          </tr>
        </thead>
        <tbody>
          {check.cases.map(({ title, checked, mismatchCount, worst }) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td className="number">{formatCount(checked)}</td>
              <td className="number">{formatCount(mismatchCount)}</td>
              <td className="number">{worst ? formatSetting(worst.error, 2) : '–'}</td>
              <td className="number">{worst ? formatSetting(worst.allowed, 2) : '–'}</td>
              <td>{worst && worst.error > 0 ? `${worst.tensor}[${worst.index}]` : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {check.gradients.map((gradient) => (
        <GradientTable key={gradient.of} check={gradient} />
      ))}
    </>
  );
}

// The way out of a check that takes long, and what became of one that was cancelled.

export function CancelCheck({ of }: { readonly of: 'check-kernel' | 'try-kernel' }) {
  const { inspection } = useLab();
  const isAsking = useInspection(({ asking }) => asking === of);
  const cancelled = useInspection((state) => state.cancelled && state.asking === null);
  if (isAsking)
    return (
      <button type="button" onClick={inspection.cancel}>
        Cancel the check
      </button>
    );
  return (
    cancelled && (
      <span className="small soft" role="status">
        The check was cancelled. It ran on a device of its own: the run is as it was.
      </span>
    )
  );
}
