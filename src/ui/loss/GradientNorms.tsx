/** Gradient norms of a mini-batch's step, layer by layer, before clipping. */
import { layerNorms } from '../../store/loss_reading.ts';
import type { MinibatchState } from '../../store/run_state.ts';
import { useRun } from '../binding.ts';
import { asPrinted, formatNumber, formatSetting } from '../format.ts';
import { HeadNormsTable } from './HeadNormsTable.tsx';

export function GradientNorms({ minibatch }: { readonly minibatch: MinibatchState }) {
  const clip = useRun((run) => run.header?.config.optimiser.gradientClip ?? null);
  const { step } = minibatch;
  if (!step)
    return <p className="small soft">The step of mini-batch {minibatch.minibatch + 1} is not done yet.</p>;
  const layers = layerNorms(step.gradientNorms);
  const largest = Math.max(...layers.map(({ norm }) => norm).filter(Number.isFinite), 1e-12);
  const clipped = clip !== null && step.gradientNorm > clip;
  return (
    <section className="panel" aria-label="Gradient norms">
      <h2>Gradient norms, mini-batch {minibatch.minibatch + 1}</h2>
      <table className="norms">
        <thead>
          <tr>
            <th scope="col">part</th>
            <th scope="col">norm</th>
            <th scope="col">
              <span className="visually-hidden">bar</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {layers.map(({ name, norm }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{formatNumber(norm, 4)}</td>
              <td className="norm-bar">
                {Number.isFinite(norm) && (
                  <span style={{ width: `${(100 * asPrinted(norm, 4)) / largest}%` }} aria-hidden="true" />
                )}
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">all</th>
            <td>{formatNumber(step.gradientNorm, 4)}</td>
            <td className="small soft">
              {step.skipped
                ? 'not finite: step skipped'
                : clip === null
                  ? ''
                  : clipped
                    ? `scaled down to ${formatSetting(clip)}`
                    : `below the clip of ${formatSetting(clip)}`}
            </td>
          </tr>
        </tfoot>
      </table>
      <HeadNormsTable layers={step.headNorms} />
    </section>
  );
}
