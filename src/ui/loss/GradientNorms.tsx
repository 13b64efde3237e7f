/** Gradient norms of a mini-batch's step, layer by layer, before clipping. */
import { layerNorms } from '../../store/loss/loss_reading.ts';
import type { MinibatchState } from '../../store/record/run_state.ts';
import type { HeadNorms } from '../../units.ts';
import { useRecipe } from '../parts/binding.ts';
import { asPrinted, formatNumber, formatSetting } from '../parts/format.ts';
import { entropyShade } from '../parts/scales.ts';
import { Label } from '../parts/Term.tsx';

// Gradient norms of each attention head, matrix by matrix: a heat table of layers and heads.

const MATRICES = [
  { key: 'query', title: 'queries W_q' },
  { key: 'key', title: 'keys W_k' },
  { key: 'value', title: 'values W_v' },
  { key: 'output', title: 'output W_o' },
] as const satisfies readonly { readonly key: keyof HeadNorms; readonly title: string }[];

/** One scale for all four, so that shades compare. */
const largestOf = (layers: readonly HeadNorms[]): number =>
  Math.max(
    ...layers.flatMap((layer) => MATRICES.flatMap(({ key }) => layer[key])).filter(Number.isFinite),
    1e-12,
  );

interface MatrixProps {
  readonly title: string;
  readonly layers: readonly (readonly number[])[]; // norms by layer and head
  readonly largest: number;
}

function Matrix({ title, layers, largest }: MatrixProps) {
  return (
    <table className="head-norms">
      <caption>
        <Label>{title}</Label>
      </caption>
      <thead>
        <tr>
          <th scope="col">
            <Label>layer</Label>
          </th>
          {layers[0]?.map((_, head) => (
            <th key={head} scope="col">
              <Label>{`head ${head + 1}`}</Label>
            </th>
          ))}
          <th scope="col">all</th>
        </tr>
      </thead>
      <tbody>
        {layers.map((heads, layer) => (
          <tr key={layer}>
            <th scope="row">{layer + 1}</th>
            {heads.map((norm, head) => (
              <td
                key={head}
                style={
                  Number.isFinite(norm)
                    ? { backgroundColor: entropyShade(asPrinted(norm, 4), largest) }
                    : undefined
                }
              >
                {formatNumber(norm, 4)}
              </td>
            ))}
            <td>{formatNumber(Math.hypot(...heads), 4)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function HeadNormsTable({ layers }: { readonly layers: readonly HeadNorms[] }) {
  if (layers.length === 0)
    return (
      <p className="small soft">
        Norms by attention head are not in this recording: it was made before they were logged. A run trained
        now has them.
      </p>
    );
  const largest = largestOf(layers);
  return (
    <>
      <h3>
        <Label>By attention head</Label>
      </h3>
      <p className="small soft">
        The darker, the larger; one scale for all. A head owns rows of W_q, W_k and W_v and columns of W_o;
        “all” is the root of the summed squares.
      </p>
      <div className="wide-table" tabIndex={0} role="region" aria-label="Gradient norms by attention head">
        {MATRICES.map(({ key, title }) => (
          <Matrix key={key} title={title} layers={layers.map((layer) => layer[key])} largest={largest} />
        ))}
      </div>
    </>
  );
}

export function GradientNorms({ minibatch }: { readonly minibatch: MinibatchState }) {
  const clip = useRecipe((config) => config.optimiser.gradientClip);
  const { step } = minibatch;
  if (!step)
    return <p className="small soft">The step of mini-batch {minibatch.minibatch + 1} is not done yet.</p>;
  const layers = layerNorms(step.gradientNorms);
  const largest = Math.max(...layers.map(({ norm }) => norm).filter(Number.isFinite), 1e-12);
  const clipped = clip !== null && step.gradientNorm > clip;
  return (
    <section className="panel" aria-label="Gradient norms">
      <h2>
        <Label>{`Gradient norms, mini-batch ${minibatch.minibatch + 1}`}</Label>
      </h2>
      <table className="norms">
        <thead>
          <tr>
            <th scope="col">part</th>
            <th scope="col">
              <Label>norm</Label>
            </th>
            <th scope="col">
              <span className="visually-hidden">bar</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {layers.map(({ name, norm }) => (
            <tr key={name}>
              <th scope="row">
                <Label>{name}</Label>
              </th>
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
