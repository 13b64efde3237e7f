// webgpu-llm 0.1.0: hand-written WGSL for one LLaMA-like architecture. It refuses an adapter without shader-f16,
// subgroups and a subgroup size of exactly 32. So that it can be measured on one, its two subgroup reductions become
// workgroup-memory trees and its (unused here) f16 kernels are compiled as f32 where the adapter lacks those features.
// It has no batch dimension: training packs the batch into one sequence with its own document mask, decoding goes one
// sequence at a time with a read-back of the logits per token.
import { LLMEngine, Model } from 'webgpu-llm/llm';

const NEEDED = ['shader-f16', 'subgroups'];

const treeReduction = (name, combine) => `
fn ${name}(tid: u32, val: f32) -> f32 {
  sh_red[tid] = val;
  workgroupBarrier();
  for (var s = WG / 2u; s > 0u; s = s >> 1u) {
    if (tid < s) { sh_red[tid] = ${combine}; }
    workgroupBarrier();
  }
  let result = sh_red[0];
  workgroupBarrier();
  return result;
}`;

const withoutSubgroups = (code) =>
  code
    .replace(/enable (f16|subgroups);/g, '')
    .replace(/fn wg_reduce_sum[\s\S]*?\n}/, treeReduction('wg_reduce_sum', 'sh_red[tid] + sh_red[tid + s]'))
    .replace(
      /fn wg_reduce_max[\s\S]*?\n}/,
      treeReduction('wg_reduce_max', 'max(sh_red[tid], sh_red[tid + s])'),
    )
    .replace(/\bf16\b/g, 'f32')
    .replace(/(\d)h\b/g, '$1');

const getterOf = (name) => Object.getOwnPropertyDescriptor(GPUAdapter.prototype, name).get;

/** Lets the adapter claim what the library asks for, and takes it out of what reaches the device. */
function patchWebGpu() {
  const requestDevice = GPUAdapter.prototype.requestDevice;
  const createShaderModule = GPUDevice.prototype.createShaderModule;
  const features = getterOf('features');
  const info = getterOf('info');
  const claimed = [...NEEDED, 'timestamp-query'];
  Object.defineProperty(GPUAdapter.prototype, 'features', {
    get() {
      return new Set([...features.call(this), ...claimed]);
    },
  });
  Object.defineProperty(GPUAdapter.prototype, 'info', {
    get() {
      const { vendor, architecture } = info.call(this);
      return { vendor, architecture, subgroupMinSize: 32, subgroupMaxSize: 32 };
    },
  });
  GPUAdapter.prototype.requestDevice = function (descriptor) {
    const real = features.call(this);
    const requiredFeatures = descriptor.requiredFeatures.filter((feature) => real.has(feature));
    return requestDevice.call(this, { ...descriptor, requiredFeatures });
  };
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    return createShaderModule.call(this, { ...descriptor, code: withoutSubgroups(descriptor.code) });
  };
}

const theirName = (name) => name.replace(/(attn|ffn|final)_norm/, '$1_norm_w');
const ourName = (name) => name.replace(/_norm_w$/, '_norm');

let engine;

function createModel(shape, { rmsEpsilon }, sequenceLength, parameters) {
  const { channels, heads, layers, hidden, vocabulary } = shape;
  const model = new Model(engine, {
    d_model: channels,
    n_heads: heads,
    n_kv_heads: heads,
    n_layers: layers,
    d_ff_mult: hidden / channels,
    d_ff: hidden,
    head_dim: channels / heads,
    kv_dim: channels,
    activation: 'swiglu',
    vocab_size: vocabulary,
    seq_len: sequenceLength,
    rms_eps: rmsEpsilon,
    precision: 'fp32',
    optimizer: 'fp32',
  });
  model.allocate();
  model.allocActivations();
  model.allocBackward();
  model.importWeights(Object.entries(parameters).map(([name, data]) => ({ name: theirName(name), data })));
  return model;
}

async function createTrainer(shape, settings, parameters) {
  const length = shape.rows * shape.tokens;
  const model = createModel(shape, settings, length, parameters);
  const documentStart = Uint32Array.from({ length }, (_, place) => place - (place % shape.tokens));
  const optimiser = {
    lr: settings.learningRate,
    beta1: settings.beta1,
    beta2: settings.beta2,
    weight_decay: settings.weightDecay,
    adam_eps: settings.epsilon,
    grad_clip: 1e9,
  };
  return {
    async trainStep({ tokens, targets }) {
      const ids = Uint32Array.from(tokens);
      const loss = await model.forwardLoss(ids, Uint32Array.from(targets), documentStart);
      await model.backward(ids);
      await model.step(optimiser);
      await engine.device.queue.onSubmittedWorkDone();
      return loss;
    },
    async readParameters() {
      const weights = await model.exportWeights();
      return Object.fromEntries(weights.map(({ name, data }) => [ourName(name), data]));
    },
    dispose: () => model.destroy(),
  };
}

const indexOfMaximum = (values) => values.reduce((best, value, at) => (value > values[best] ? at : best), 0);

async function createDecoder(shape, settings, parameters) {
  const { rows, promptTokens, newTokens } = shape;
  const model = createModel(shape, settings, promptTokens + newTokens, parameters);
  model.allocKVCache();
  return {
    async decode(prompts) {
      const decoded = [];
      for (let row = 0; row < rows; row++) {
        const prompt = Uint32Array.from(prompts.subarray(row * promptTokens, (row + 1) * promptTokens));
        // In 0.1.0 prefillCache() returns zeros only, so the last prompt token goes through decodeOne() again.
        await model.prefillCache(prompt);
        let logits = await model.decodeOne(prompt[promptTokens - 1], promptTokens - 1);
        for (let step = 0; step < newTokens; step++) {
          const token = indexOfMaximum(logits);
          decoded.push(token);
          if (step < newTokens - 1) logits = await model.decodeOne(token, promptTokens + step);
        }
      }
      return decoded;
    },
    dispose: () => model.destroy(),
  };
}

const contender = {
  label: 'webgpu-llm 0.1.0',
  async setup() {
    const adapter = await navigator.gpu.requestAdapter();
    const { subgroupMinSize, subgroupMaxSize } = adapter.info;
    const fits = subgroupMinSize === 32 && subgroupMaxSize === 32;
    if (!fits || !NEEDED.every((feature) => adapter.features.has(feature))) {
      patchWebGpu();
      contender.label += ', patched: no f16, no subgroups';
    }
    engine = await new LLMEngine().init();
  },
  trainer: createTrainer,
  decoder: createDecoder,
};

export default contender;
