/** How many workgroups each dispatch of a training step and of a decode has on a graphics card: counted, on no device. */
import { openGpu } from '../src/gpu/device.ts';
import { createDecoder, createTrainer } from './contenders/turnwise.ts';
import { parameterSpecs, prompts, settings, trainBatch, type Parameters, type WorkShape } from './work.ts';

/** Two for each of the 132 multiprocessors of an H100. */
export const ENOUGH_GROUPS = 264;

export interface CountedDispatch {
  readonly kernel: string;
  readonly label: string; // of the step
  readonly groups: number;
}

/** Kernels that may have fewer, and why: there is no more to share out, or too little to do. */
export const FEW_GROUPS: Readonly<Record<string, string>> = {
  clip_scale: 'one sum of everything',
  column_sum: 'a lane a column, of a sum over at most 130 rows',
  square_sum: 'a lane a block of 256 gradients',
  matmul_nt_rows: 'an element of c a lane, and no more of them',
  matmul_swiglu_rows: 'an element of h a lane, and no more of them',
  matmul_nn_tiles: 'more than 192 groups, or tiles of 32 × 32, the smallest that there are of it',
  matmul_nt_tiles: 'more than 192 groups, see shaders/matmul/README.md',
  matmul_tn_tiles: 'more than 192 groups, see shaders/matmul/README.md',
  matmul_tn_small_tiles: 'tiles of 16 × 16: those of 8 × 8 gained 3 µs at 64 × 64 and lost elsewhere',
  rmsnorm_forward_lanes: 'two rows a group',
  rmsnorm_backward_weight: 'a lane four columns of 32 rows',
  decode_attention_lanes: 'a group a row and head',
  qk_norm_rotary_forward: 'a lane a row and head',
  qk_norm_rotary_backward: 'a lane a row and head',
  qk_norm_rotary_backward_weight: 'a lane two columns of 32 rows',
  kv_append: 'four numbers a lane',
  gather_rows_forward: 'four numbers a lane',
  gather_rows_backward: 'four numbers of the table a lane',
  sample_token: '32 lanes a row, two rows a group',
  swiglu_forward: 'four numbers a lane',
  swiglu_backward: 'four numbers a lane',
  adamw: 'four parameters a lane',
  attention_forward_tiles: 'sixteen tokens of a head a group',
  attention_backward_query_tiles: 'sixteen tokens of a head a group',
  attention_backward_key_value_tiles: 'sixteen keys of a head a group',
};

const NOTHING = (): undefined => undefined;
const LIMIT = 2 ** 31;

/**
 * A graphics card that computes nothing and whose every read-back holds ones, so that every sampled row is done.
 * @param seen gets the dispatches as they are encoded
 */
function inertCard(seen: CountedDispatch[]): GPU {
  let kernel = '';
  let label = '';
  const pass = {
    setPipeline: (pipeline: { label: string }) => void (kernel = pipeline.label),
    setBindGroup: (_: number, group: { label: string }) => void (label = group.label),
    dispatchWorkgroups: (x: number, y: number, z: number) =>
      void seen.push({ kernel, label, groups: x * y * z }),
    end: NOTHING,
  };
  const limits = { maxBufferSize: LIMIT, maxStorageBufferBindingSize: LIMIT };
  const features = new Set(['subgroups']);
  const labelled = ({ label: name }: { label?: string }) => ({ label: name });
  const device = {
    limits,
    features,
    lost: new Promise(NOTHING),
    queue: { writeBuffer: NOTHING, submit: NOTHING },
    addEventListener: NOTHING,
    createBuffer: ({ size, label: name }: GPUBufferDescriptor) => ({
      ...{ size, label: name, unmap: NOTHING, destroy: NOTHING },
      mapAsync: () => Promise.resolve(),
      getMappedRange: (_: number, bytes: number) => new Uint32Array(bytes / 4).fill(1).buffer,
    }),
    createShaderModule: () => ({ getCompilationInfo: () => Promise.resolve({ messages: [] }) }),
    createBindGroupLayout: labelled,
    createPipelineLayout: labelled,
    createBindGroup: labelled,
    createComputePipelineAsync: (of: { label?: string }) => Promise.resolve(labelled(of)),
    createCommandEncoder: () => ({
      ...{ beginComputePass: () => pass, clearBuffer: NOTHING, copyBufferToBuffer: NOTHING, finish: NOTHING },
    }),
    pushErrorScope: NOTHING,
    popErrorScope: () => Promise.resolve(null),
    destroy: NOTHING,
  };
  const adapter = {
    info: { vendor: '', architecture: '', description: 'a card that computes nothing' },
    ...{ limits, features, requestDevice: () => Promise.resolve(device) },
  };
  const gpu = {
    wgslLanguageFeatures: new Set(['subgroup_id']),
    requestAdapter: () => Promise.resolve(adapter),
  };
  return gpu as unknown as GPU; // what our engine uses of one
}

const USAGES = ['MAP_READ', 'MAP_WRITE', 'COPY_SRC', 'COPY_DST', 'INDEX', 'VERTEX', 'UNIFORM', 'STORAGE', 'INDIRECT', 'QUERY_RESOLVE']; // prettier-ignore

/** Names the constants of WebGPU that the engine reads, where they are not there, as in Node, for the length of `work`. */
async function withConstants<T>(work: () => Promise<T>): Promise<T> {
  const bits = (names: readonly string[]) => Object.fromEntries(names.map((name, bit) => [name, 2 ** bit]));
  const named: Readonly<Record<string, unknown>> = {
    GPUBufferUsage: bits(USAGES),
    GPUMapMode: bits(['READ', 'WRITE']),
    GPUShaderStage: bits(['VERTEX', 'FRAGMENT', 'COMPUTE']),
  };
  const missing = Object.keys(named).filter((name) => !(name in globalThis));
  for (const name of missing)
    Object.defineProperty(globalThis, name, { value: named[name], configurable: true });
  try {
    return await work();
  } finally {
    for (const name of missing) Reflect.deleteProperty(globalThis, name);
  }
}

/** Parameters whose values nobody asks for. */
const noughts = (shape: WorkShape): Parameters =>
  Object.fromEntries(
    parameterSpecs(shape).map((spec) => [spec.name, new Float32Array(spec.shape.reduce((a, b) => a * b, 1))]),
  );

/** Dispatches of a training step, and of prompts and the first decode steps. */
export const countGroups = (shape: WorkShape): Promise<Record<'train' | 'decode', CountedDispatch[]>> =>
  withConstants(async () => {
    const [train, decode]: CountedDispatch[][] = [[], []];
    const open = (seen: CountedDispatch[]) => openGpu({ gpu: inertCard(seen) });
    const trainer = await createTrainer(await open(train), shape, settings, noughts(shape));
    await trainer.trainStep(trainBatch(shape, 0));
    const decoder = await createDecoder(await open(decode), shape, settings, noughts(shape));
    await decoder.decode(prompts(shape));
    return { train, decode };
  });

/** Kernel by kernel: how many dispatches, from how many groups to how many. */
export function groupTable(title: string, counted: readonly CountedDispatch[]): string {
  const names = [...new Set(counted.map(({ kernel }) => kernel))];
  const rows = names.map((name) => {
    const groups = counted.filter(({ kernel }) => kernel === name).map((each) => each.groups);
    const [least, most] = [Math.min(...groups), Math.max(...groups)];
    const range = least === most ? `${least}` : `${least} to ${most}`;
    const reason = least < ENOUGH_GROUPS ? (FEW_GROUPS[name] ?? '**no reason given**') : '';
    return `| ${name} | ${groups.length} | ${range} | ${reason} |`;
  });
  return [
    `| ${title} | dispatches | groups | fewer than ${ENOUGH_GROUPS}: why |`,
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}
