import { defineKernel, foldGrid, read, write, type Shaping } from '../../src/gpu/kernel.ts';
import { LabError } from '../../src/units.ts';
import { drawToken, sampleToken as oracle, type SampleInput } from './sample_token.oracle.ts';
import source from './sample_token.wgsl?raw';

const POISON = 12345; // what overwritten buffers hold before
const CLEAR_MARGIN = 1e-4; // nats; float32 noise and logits of this size are good to 1e-5

interface Shape {
  readonly rows: number;
  readonly vocab: number;
  readonly inverseTemperature?: number;
  readonly greedy?: boolean;
  readonly stopShare?: number; // every nth token stops
  readonly seed?: number;
  readonly ties?: boolean; // logits repeat every three tokens, within blocks and across blocks and lanes
}

const stateOf = (row: number, maxNew: number): number[] => {
  const remaining = row % 3 === 1 ? 1 : 5; // every third row may draw one more token
  const done = row % 5 === 3 ? 1 : 0;
  const count = row % (maxNew - 1);
  return [row % 7, 11 * row, count + 40 * (row % 2), remaining, done, count, POISON, POISON];
};

function makeInput(shape: Shape): SampleInput {
  const {
    rows,
    vocab,
    inverseTemperature = 1,
    greedy = false,
    stopShare = 4,
    seed = 5,
    ties = false,
  } = shape;
  const stride = Math.ceil(vocab / 4) * 4;
  const logits = new Float32Array(rows * stride).fill(NaN); // padding: must not leak
  for (let r = 0; r < rows; r++) {
    for (let v = 0; v < vocab; v++) {
      logits[r * stride + v] = 3 * Math.sin(1.3 * (ties ? v % 3 : v) * ((r % 11) + 1) + 0.7 * r);
    }
  }
  return {
    rows,
    vocab,
    stride,
    inverseTemperature: Math.fround(inverseTemperature),
    greedy,
    key: { seed, update: 3 },
    maxNew: 3,
    logits,
    stopMask: Uint32Array.from({ length: vocab }, (_, v) => (v % stopShare === 1 ? 1 : 0)),
  };
}

/** A case proves nothing where rounding may decide: such seeds are refused here, not in the comparison. */
function checkMargins(input: SampleInput, rowState: ArrayLike<number>): void {
  const margins = Array.from({ length: input.rows }, (_, r) => drawToken(input, rowState, r).margin);
  const row = margins.findIndex((margin) => margin < CLEAR_MARGIN);
  if (row < 0) return;
  throw new LabError('AmbiguousCaseError', {
    what: 'the two best tokens of a case are too close',
    where: `sample_token, row ${row}, seed ${input.key.seed}`,
    got: `margin ${margins[row]}`,
    wanted: `at least ${CLEAR_MARGIN}`,
    next: 'Choose another seed for the case.',
  });
}

const sampleCase = (title: string, shape: Shape, overrides: Shaping = {}) => {
  const input = makeInput(shape);
  const { rows, vocab, stride, inverseTemperature, greedy, key, maxNew } = input;
  const rowState = Uint32Array.from(Array.from({ length: rows }, (_, row) => stateOf(row, maxNew)).flat());
  const words = (scale: number) => Uint32Array.from({ length: rows }, (_, row) => scale * (row + 1));
  const before = {
    rowState,
    currentToken: words(3),
    previousToken: words(5),
    positions: words(7),
    sampled: new Uint32Array(rows * maxNew).fill(POISON),
    stats: new Float32Array(rows * maxNew * 2).fill(POISON),
  };
  return {
    title: `${title}: ${rows} rows of ${vocab} ${JSON.stringify(overrides)}`,
    params: {
      rows,
      vocab,
      stride,
      inverseTemperature,
      greedy: greedy ? 1 : 0,
      seed: key.seed,
      update: key.update,
      maxNew,
    },
    overrides,
    buffers: {
      logits: input.logits as Float32Array<ArrayBuffer>,
      stopMask: input.stopMask as Uint32Array<ArrayBuffer>,
      ...before,
    },
    expected: () => {
      if (!shape.ties) checkMargins(input, rowState);
      return oracle(input, before);
    },
  };
};

export const sampleToken = defineKernel({
  name: 'sample_token',
  source,
  params: {
    rows: 'u32',
    vocab: 'u32',
    stride: 'u32',
    inverseTemperature: 'f32',
    greedy: 'u32',
    seed: 'u32',
    update: 'u32',
    maxNew: 'u32',
  },
  bindings: [
    read('logits'),
    read('stopMask', 'u32'),
    write('rowState', 'u32'),
    write('currentToken', 'u32'),
    write('previousToken', 'u32'),
    write('positions', 'u32'),
    write('sampled', 'u32'),
    write('stats'),
  ],
  overrides: { LANES: 1, ROWS: 16 },
  onCpu: { LANES: 1, ROWS: 4 },
  onCards: [{ overrides: { LANES: 32, ROWS: 2 } }],
  constants: {},
  grid: ({ rows }, { ROWS }) => foldGrid(Math.ceil(rows / ROWS)),
  tolerance: {
    absolute: 3e-6,
    relative: 1e-6,
    reason: 'for stats, as token_stats_forward; tokens and counters are integers and must be equal',
  },
  cases: () => [
    sampleCase('one token', { rows: 1, vocab: 1 }),
    sampleCase('sampled', { rows: 23, vocab: 37 }),
    sampleCase('sampled', { rows: 23, vocab: 37 }, { LANES: 4, ROWS: 2 }),
    sampleCase('sampled', { rows: 23, vocab: 37 }, { LANES: 32, ROWS: 1 }), // more lanes than blocks of four
    sampleCase('temperature 0.5', { rows: 40, vocab: 130, inverseTemperature: 2, seed: 4_000_000_007 }),
    sampleCase(
      'temperature 0.5',
      { rows: 40, vocab: 130, inverseTemperature: 2, seed: 4_000_000_007 },
      { LANES: 64, ROWS: 4 },
    ),
    sampleCase('every token stops', { rows: 9, vocab: 6, stopShare: 1 }),
    sampleCase('greedy', { rows: 23, vocab: 37, greedy: true, inverseTemperature: 0 }),
    sampleCase('greedy, ties to the lowest', { rows: 23, vocab: 38, greedy: true, ties: true }),
    sampleCase(
      'greedy, ties to the lowest',
      { rows: 23, vocab: 38, greedy: true, ties: true },
      { LANES: 8, ROWS: 8 },
    ),
  ],
});
