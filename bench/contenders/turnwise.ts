/** Our engine on the bench's model, through the API that the lab trains with. */
import { BufferOwner, type BufferView } from '../../src/gpu/buffers.ts';
import { openGpu, type Gpu } from '../../src/gpu/device.ts';
import { Program } from '../../src/gpu/program.ts';
import { f32, Readback } from '../../src/gpu/readback.ts';
import { linearBackwardInput } from '../../src/model/linear.ts';
import { parameterMap, type Parameter } from '../../src/model/parameters.ts';
import { Policy } from '../../src/model/policy.ts';
import { packSequences } from '../../src/train/pretrain/pretrain_data.ts';
import { tokenId, type ModelConfig, type OptimiserConfig } from '../../src/units.ts';
import type { Contender, Decoder, Matmul, Trainer } from '../contender.ts';
import type { MatmulShape, Parameters, Settings, TrainBatch, WorkShape } from '../work.ts';

type Floats = Float32Array<ArrayBuffer>;

const NO_CLIP = 1e9; // the bench's AdamW does not clip

let opened: Gpu | null = null;
const device = (): Gpu => {
  if (!opened) throw new Error('setup() comes first');
  return opened;
};

export const modelConfig = (shape: WorkShape, { rmsEpsilon, ropeTheta }: Settings): ModelConfig => ({
  vocabularySize: shape.vocabulary,
  channels: shape.channels,
  layers: shape.layers,
  heads: shape.heads,
  kvHeads: shape.heads,
  headSize: shape.channels / shape.heads,
  hidden: shape.hidden,
  rmsEpsilon,
  ropeTheta,
  queryKeyNorm: false,
  tiedOutput: true,
  previousTokenMixing: false,
  logitScale: 1,
});

const optimiserConfig = (settings: Settings): OptimiserConfig => {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = settings;
  return { learningRate, beta1, beta2, epsilon, weightDecay, gradientClip: NO_CLIP };
};

const THEIR_NAMES: Readonly<Record<string, string>> = {
  'attn.q_proj': 'wq',
  'attn.k_proj': 'wk',
  'attn.v_proj': 'wv',
  'attn.o_proj': 'wo',
  'mlp.gate_proj': 'w_gate',
  'mlp.up_proj': 'w_up',
  'mlp.down_proj': 'w_down',
  input_norm: 'attn_norm',
  post_attn_norm: 'ffn_norm',
};

/** 'layers.0.attn.q_proj.weight' → 'L0.wq'. */
function theirName(name: string): string {
  if (name === 'embed.weight') return 'tok_emb';
  const [, layer, part] = /^layers\.(\d+)\.(.*)\.weight$/.exec(name) ?? [];
  return part ? `L${layer}.${THEIR_NAMES[part]}` : 'final_norm';
}

/**
 * Places of our tensor's entries in theirs. Linear weights are transposed; rows of queries and keys also change
 * order within a head, since our rotation pairs row j with j + HS/2 and theirs pairs 2j with 2j + 1.
 */
function* placesOf(
  { name, shape, offset }: Parameter,
  headSize: number,
): Generator<[ours: number, theirs: number]> {
  const [rows, columns = 1] = shape;
  const linear = name.includes('_proj');
  const rotated = /[qk]_proj/.test(name);
  const half = headSize / 2;
  for (let row = 0; row < rows; row++) {
    const inHead = row % headSize;
    const paired = row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
    const theirRow = rotated ? paired : row;
    for (let column = 0; column < columns; column++) {
      const ours = offset + row * columns + column;
      yield [ours, linear ? column * rows + theirRow : row * columns + column];
    }
  }
}

export function toOurs(config: ModelConfig, parameters: Parameters): Floats {
  const map = parameterMap(config);
  const values = new Float32Array(map.length);
  for (const parameter of map.parameters) {
    const source = parameters[theirName(parameter.name)];
    for (const [ours, theirs] of placesOf(parameter, config.headSize)) values[ours] = source[theirs];
  }
  return values;
}

export function toTheirs(config: ModelConfig, values: Floats): Record<string, Floats> {
  const read: Record<string, Floats> = {};
  for (const parameter of parameterMap(config).parameters) {
    const target = new Float32Array(parameter.length);
    for (const [ours, theirs] of placesOf(parameter, config.headSize)) target[theirs] = values[ours];
    read[theirName(parameter.name)] = target;
  }
  return read;
}

/** Rows of tokens + 1 tokens: ours trains on the token at a place, from the place before it. */
function supervisedBatch({ rows, tokens: length }: WorkShape, { tokens, targets }: TrainBatch) {
  const weights = [0, ...Array<number>(length).fill(1)];
  const sequences = Array.from({ length: rows }, (_, row) => {
    const end = (row + 1) * length;
    const ids = [...tokens.subarray(row * length, end), targets[end - 1]];
    return { tokens: ids.map(tokenId), weights };
  });
  return packSequences(sequences).batch;
}

export async function createTrainer(
  gpu: Gpu,
  shape: WorkShape,
  settings: Settings,
  parameters: Parameters,
): Promise<Trainer> {
  const config = modelConfig(shape, settings);
  const optimiser = optimiserConfig(settings);
  const tokens = shape.rows * shape.tokens;
  const policy = await Policy.create(gpu, config, {
    contextLength: shape.tokens + 1,
    parameters: toOurs(config, parameters),
    training: { tokens, predicted: tokens, scored: tokens },
    decayed: ({ name }) => !name.includes('norm'),
  });
  return {
    trainStep: async (data) => {
      const batch = supervisedBatch(shape, data);
      return (await policy.trainSupervised(batch, batch.weight, optimiser)).loss;
    },
    readParameters: async () => toTheirs(config, await policy.parameters()),
    dispose: () => policy.dispose(),
  };
}

export async function createDecoder(
  gpu: Gpu,
  shape: WorkShape,
  settings: Settings,
  parameters: Parameters,
): Promise<Decoder> {
  const config = modelConfig(shape, settings);
  const { rows, promptTokens, newTokens } = shape;
  const policy = await Policy.create(gpu, config, {
    contextLength: promptTokens + newTokens,
    parameters: toOurs(config, parameters),
    sampling: {
      ...{ prefillRows: rows * promptTokens, sampledRows: rows },
      cachePlaces: rows * (promptTokens + newTokens),
    },
  });
  return {
    decode: async (prompts) => {
      policy.beginRollout({ seed: 1, update: 1 }, { temperature: 0, stopTokens: [] }); // forgets cached prompts
      const requests = Array.from({ length: rows }, (_, row) => ({
        context: Array.from(prompts.subarray(row * promptTokens, (row + 1) * promptTokens), tokenId),
        key: { prompt: row, node: 0, firstToken: 0 },
        maxTokens: newTokens,
      }));
      return (await policy.generate(requests)).flatMap(({ tokens }) => tokens);
    },
    dispose: () => policy.dispose(),
  };
}

/** The product as the model's layers call it: dx = dy·W, with dy in a's place and W in b's. */
async function createMatmul({ m, n, k }: MatmulShape, a: Floats, b: Floats): Promise<Matmul> {
  const gpu = device();
  const owner = new BufferOwner(gpu, 'matmul');
  const views = { dy: owner.storage('a', a), weight: owner.storage('b', b) };
  const product: BufferView = owner.storage('c', m * n);
  await owner.ready();
  const linear = { label: 'matmul', rows: () => m, inputs: n, outputs: k };
  const program = await Program.build(gpu, 'matmul', [
    linearBackwardInput(linear, { ...views, dx: product }),
  ]);
  const readback = new Readback(gpu, 'matmul');
  return {
    run: async (times) => {
      const encoder = gpu.device.createCommandEncoder();
      for (let time = 0; time < times; time++) program.encode(encoder, {});
      gpu.device.queue.submit([encoder.finish()]);
      await gpu.device.queue.onSubmittedWorkDone();
    },
    read: async () => (await readback.read({ product: f32(product) })).product,
    dispose: () => [program, readback, owner].forEach((owned) => owned.destroy()),
  };
}

const contender: Contender = {
  label: 'Turnwise',
  setup: async () => {
    opened = await openGpu();
  },
  matmul: createMatmul,
  trainer: (...work) => createTrainer(device(), ...work),
  decoder: (...work) => createDecoder(device(), ...work),
};
export default contender;
