// TensorFlow.js core 4.22.0 on its WebGPU backend: eager, no fusion across operations; the cache grows by concat.
// AdamW is decoupled decay and then tf.train.adam, the same arithmetic.
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import '@tensorflow/tfjs-backend-webgpu';
import { parameterSpecs, ropeTables } from '../work.ts';

const rmsNorm = (x, gain, epsilon) => {
  const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon));
  return tf.mul(tf.mul(x, inverse), gain);
};

/** Rotation in pairs (2i, 2i+1); cos and sin [1, tokens, 1, headSize/2]. */
function rotate(x, cos, sin, [rows, tokens, heads, headSize]) {
  const half = headSize / 2;
  const [first, second] = tf.unstack(tf.reshape(x, [rows * tokens * heads, half, 2]), 2);
  const even = tf.reshape(first, [rows, tokens, heads, half]);
  const odd = tf.reshape(second, [rows, tokens, heads, half]);
  const rotated = [tf.sub(tf.mul(even, cos), tf.mul(odd, sin)), tf.add(tf.mul(even, sin), tf.mul(odd, cos))];
  return tf.reshape(tf.stack(rotated, 4), [rows, tokens, heads, headSize]);
}

/** Activations stay [rows·tokens, ·]: matMul wants equal ranks for its gradients. */
function block(x, weights, layer, { rmsEpsilon }, attend) {
  const of = (name) => weights[`L${layer}.${name}`];
  const normed = rmsNorm(x, of('attn_norm'), rmsEpsilon);
  const [query, key, value] = ['wq', 'wk', 'wv'].map((name) => tf.matMul(normed, of(name)));
  const middle = tf.add(x, tf.matMul(attend(query, key, value), of('wo')));
  const inner = rmsNorm(middle, of('ffn_norm'), rmsEpsilon);
  const gate = tf.matMul(inner, of('w_gate'));
  const activated = tf.mul(tf.mul(gate, tf.sigmoid(gate)), tf.matMul(inner, of('w_up')));
  return tf.add(middle, tf.matMul(activated, of('w_down')));
}

/** Reading one element flushes what tfjs has pending, and waits for it. */
async function finish(tensor) {
  const one = tf.slice(tensor, 0, 1);
  await one.data();
  one.dispose();
}

async function createTrainer(shape, settings, parameters) {
  const { rows, tokens: length, channels, heads, layers, vocabulary } = shape;
  const headSize = channels / heads;
  const sizes = [rows, length, heads, headSize];
  const specs = parameterSpecs(shape);
  const tables = ropeTables(length, headSize);
  const cos = tf.tensor(tables.cos, [1, length, 1, headSize / 2]);
  const sin = tf.tensor(tables.sin, [1, length, 1, headSize / 2]);
  const mask = tf.tidy(() => {
    const visible = tf.linalg.bandPart(tf.ones([length, length]), -1, 0);
    return tf.mul(tf.sub(1, visible), -1e9).reshape([1, length, length]);
  });
  const weights = {};
  for (const { name, shape: dimensions } of specs)
    weights[name] = tf.variable(tf.tensor(parameters[name], dimensions), true, name);
  const { learningRate, beta1, beta2, epsilon, weightDecay } = settings;
  const optimiser = tf.train.adam(learningRate, beta1, beta2, epsilon);
  const byHead = (x) => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [rows * heads, length, headSize]);
  const attend = (query, key, value) => {
    const queries = byHead(rotate(query, cos, sin, sizes));
    const keys = byHead(rotate(key, cos, sin, sizes));
    const scores = tf.mul(tf.matMul(queries, keys, false, true), 1 / Math.sqrt(headSize));
    const mixed = tf.matMul(tf.softmax(tf.add(scores, mask)), byHead(tf.reshape(value, sizes)));
    const apart = tf.transpose(tf.reshape(mixed, [rows, heads, length, headSize]), [0, 2, 1, 3]);
    return tf.reshape(apart, [rows * length, channels]);
  };
  const lossOf = (tokens, targets) => {
    let x = tf.gather(weights.tok_emb, tokens);
    for (let layer = 0; layer < layers; layer++) x = block(x, weights, layer, settings, attend);
    const last = rmsNorm(x, weights.final_norm, settings.rmsEpsilon);
    const logits = tf.matMul(last, weights.tok_emb, false, true);
    return tf.losses.softmaxCrossEntropy(tf.oneHot(targets, vocabulary), logits);
  };
  const step = ({ tokens, targets }) => {
    const { value, grads } = tf.variableGrads(() =>
      lossOf(tf.tensor1d(tokens, 'int32'), tf.tensor1d(targets, 'int32')),
    );
    for (const { name, decay } of specs)
      if (decay) weights[name].assign(tf.mul(weights[name], 1 - learningRate * weightDecay));
    optimiser.applyGradients(grads);
    return value;
  };
  return {
    async trainStep(batch) {
      const loss = tf.tidy(() => step(batch));
      const [value] = await loss.data();
      loss.dispose();
      await finish(weights.final_norm);
      return value;
    },
    async readParameters() {
      const read = {};
      for (const { name } of specs) read[name] = await weights[name].data();
      return read;
    },
    dispose() {
      tf.dispose([cos, sin, mask, ...Object.values(weights)]);
      optimiser.dispose();
    },
  };
}

async function createDecoder(shape, settings, parameters) {
  const { rows, channels, heads, layers, promptTokens, newTokens } = shape;
  const headSize = channels / heads;
  const half = headSize / 2;
  const room = promptTokens + newTokens;
  const tables = ropeTables(room, headSize);
  const weights = {};
  for (const { name, shape: dimensions } of parameterSpecs(shape))
    weights[name] = tf.tensor(parameters[name], dimensions);
  const angles = (table, place) => tf.tensor(table.slice(place * half, (place + 1) * half), [1, 1, 1, half]);
  const column = (prompts, place) =>
    tf.tensor1d(
      Int32Array.from({ length: rows }, (_, row) => prompts[row * promptTokens + place]),
      'int32',
    );

  /** One token for every row: the next tokens and the longer cache. */
  const step = (tokens, cache, place) => {
    const cos = angles(tables.cos, place);
    const sin = angles(tables.sin, place);
    const longer = [];
    let x = tf.gather(weights.tok_emb, tokens);
    for (let layer = 0; layer < layers; layer++) {
      x = block(x, weights, layer, settings, (query, key, value) => {
        const byHead = (y) => tf.reshape(y, [rows * heads, 1, headSize]);
        const turned = (y) => byHead(rotate(y, cos, sin, [rows, 1, heads, headSize]));
        const [oldKeys, oldValues] = cache[layer] ?? [];
        const keys = oldKeys ? tf.concat([oldKeys, turned(key)], 1) : turned(key);
        const values = oldValues ? tf.concat([oldValues, byHead(value)], 1) : byHead(value);
        longer.push([keys, values]);
        const scores = tf.mul(tf.matMul(turned(query), keys, false, true), 1 / Math.sqrt(headSize));
        return tf.reshape(tf.matMul(tf.softmax(scores), values), [rows, channels]);
      });
    }
    const last = rmsNorm(x, weights.final_norm, settings.rmsEpsilon);
    return { cache: longer, tokens: tf.argMax(tf.matMul(last, weights.tok_emb, false, true), 1) };
  };

  return {
    async decode(prompts) {
      let cache = [];
      let tokens = null;
      const outputs = [];
      for (let place = 0; place < room - 1; place++) {
        const next = tf.tidy(() =>
          step(place < promptTokens ? column(prompts, place) : tokens, cache, place),
        );
        tf.dispose(cache);
        cache = next.cache;
        if (tokens && !outputs.includes(tokens)) tokens.dispose();
        tokens = next.tokens;
        if (place >= promptTokens - 1) outputs.push(tokens);
      }
      tf.dispose(cache);
      const all = tf.stack(outputs, 1);
      const values = Int32Array.from(await all.data());
      tf.dispose([all, ...outputs]);
      return values;
    },
    dispose() {
      tf.dispose(weights);
    },
  };
}

async function createMatmul({ m, n, k }, aValues, bValues) {
  const a = tf.tensor2d(aValues, [m, k]);
  const b = tf.tensor2d(bValues, [k, n]);
  let product;
  return {
    async run(times) {
      for (let time = 0; time < times; time++) {
        product?.dispose();
        product = tf.matMul(a, b);
      }
      await finish(product);
    },
    read: () => product.data(),
    dispose: () => tf.dispose([a, b, product]),
  };
}

export default {
  label: 'TensorFlow.js 4.22.0, WebGPU',
  async setup() {
    if (!(await tf.setBackend('webgpu'))) throw new Error('setBackend("webgpu") failed');
    await tf.ready();
  },
  matmul: createMatmul,
  trainer: createTrainer,
  decoder: createDecoder,
};
