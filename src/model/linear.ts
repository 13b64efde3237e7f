import type { BufferView } from '../gpu/buffers.ts';
import type { Shaping } from '../gpu/kernel.ts';
import { dispatch, type DispatchStep, type Sizes } from '../gpu/steps.ts';
import { kernels } from '../../shaders/index.ts';
import type { ElementType } from './parameters.ts';

/** The kernels that read a weight, by how it is stored: the same contract, and float32 arithmetic. */
const READERS = {
  float32: {
    product: kernels.matmul_nt,
    transposed: kernels.matmul_nn,
    gated: kernels.matmul_swiglu,
    rows: kernels.gather_rows_forward,
  },
  bfloat16: {
    product: kernels.matmul_nt_bf16,
    transposed: kernels.matmul_nn_bf16,
    gated: kernels.matmul_swiglu_bf16,
    rows: kernels.gather_rows_forward_bf16,
  },
} satisfies Record<ElementType, object>;

/** A weight to bind; float32 unless it says otherwise. */
export type WeightView = BufferView & { readonly type?: ElementType };

export const readersOf = ({ type = 'float32' }: WeightView) => READERS[type];

/** How many rows a step has, from the sizes of an encoding. */
export type Count<S> = (sizes: S) => number;

export interface LinearOptions {
  readonly accumulate?: boolean; // += instead of =
  readonly scale?: number;
  readonly outputStride?: number; // floats between rows of y and dy; the width by default
}

/** A linear layer y = scale·x·Wᵀ on `rows` rows: W is [outputs, inputs]. */
export interface Linear<S> {
  readonly label: string;
  readonly rows: Count<S>;
  readonly inputs: number;
  readonly outputs: number;
}

const constantsOf = (accumulate: boolean | undefined, columns: number) => ({
  ACCUMULATE: accumulate ? 1 : 0,
  RAGGED: columns % 4 === 0 ? 0 : 1,
});

/** Leaves a dispatch out of encodings in which it has no rows. */
const whenRows = <S extends Sizes>(rows: Count<S>, step: DispatchStep<S>): DispatchStep<S> => ({
  ...step,
  grid: (sizes: S, shaping: Shaping) => (rows(sizes) === 0 ? [0, 0, 0] : step.grid(sizes, shaping)),
  faster: step.faster && whenRows(rows, step.faster),
  onCards: step.onCards.map(({ step: twin, suits }) => ({ step: whenRows(rows, twin), suits })),
});

/** y (+)= scale·x·Wᵀ */
export function linearForward<S extends Sizes>(
  { label, rows, inputs, outputs }: Linear<S>,
  { x, weight, y }: { readonly x: BufferView; readonly weight: WeightView; readonly y: BufferView },
  { accumulate, scale = 1, outputStride = outputs }: LinearOptions = {},
): DispatchStep<S> {
  const strides = { aStride: inputs, bStride: inputs, cStride: outputStride };
  const params = (sizes: S) => ({
    m: rows(sizes),
    n: outputs,
    k: inputs,
    ...strides,
    scale,
  });
  const constants = constantsOf(accumulate, outputs);
  return whenRows(
    rows,
    dispatch(readersOf(weight).product, { a: x, b: weight, c: y }, params, { label, constants }),
  );
}

/** dx (+)= scale·dy·W */
export function linearBackwardInput<S extends Sizes>(
  { label, rows, inputs, outputs }: Linear<S>,
  { dy, weight, dx }: { readonly dy: BufferView; readonly weight: WeightView; readonly dx: BufferView },
  { accumulate, scale = 1, outputStride = outputs }: LinearOptions = {},
): DispatchStep<S> {
  const strides = { aStride: outputStride, bStride: inputs, cStride: inputs };
  const params = (sizes: S) => ({
    m: rows(sizes),
    n: inputs,
    k: outputs,
    ...strides,
    scale,
  });
  return whenRows(
    rows,
    dispatch(readersOf(weight).transposed, { a: dy, b: weight, c: dx }, params, {
      label: `${label}, input gradient`,
      constants: constantsOf(accumulate, inputs),
    }),
  );
}

/** dW += scale·dyᵀ·x */
export function linearBackwardWeight<S extends Sizes>(
  { label, rows, inputs, outputs }: Linear<S>,
  { dy, x, dweight }: { readonly dy: BufferView; readonly x: BufferView; readonly dweight: BufferView },
  { scale = 1, outputStride = outputs }: LinearOptions = {},
): DispatchStep<S> {
  const strides = { aStride: outputStride, bStride: inputs, cStride: inputs };
  const params = (sizes: S) => ({ m: outputs, n: inputs, k: rows(sizes), ...strides, scale });
  return whenRows(
    rows,
    dispatch(kernels.matmul_tn, { a: dy, b: x, c: dweight }, params, {
      label: `${label}, weight gradient`,
      constants: constantsOf(true, inputs),
    }),
  );
}
