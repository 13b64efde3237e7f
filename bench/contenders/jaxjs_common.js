// @jax-js/jax: a training step is one jit()-ed function (forward, valueAndGrad, AdamW), a decode step another. Arrays
// are reference counted: an operation consumes its operands unless `.ref` is taken.
import * as jax from '@jax-js/jax';
import { parameterSpecs, ropeTables } from '../work.ts';

const { numpy: np, nn, jit, valueAndGrad, tree } = jax;

const array = (values, shape) => np.array(values).reshape(shape);

/** Rotation of x [rows, tokens, heads, headSize] in pairs (2i, 2i+1); cos and sin [tokens, 1, headSize/2] are consumed. */
function rotate(x, cos, sin, [rows, tokens, heads, headSize]) {
  const pairs = x.reshape([rows, tokens, heads, headSize / 2, 2]);
  const even = pairs.ref.slice([], [], [], [], 0);
  const odd = pairs.slice([], [], [], [], 1);
  const rotated = [even.ref.mul(cos.ref).sub(odd.ref.mul(sin.ref)), even.mul(sin).add(odd.mul(cos))];
  return np.stack(rotated, -1).reshape([rows, tokens, heads, headSize]);
}

function rmsNorm(x, gain, epsilon) {
  const meanSquare = np.mean(np.square(x.ref), -1, { keepdims: true }).add(epsilon);
  return x.div(np.sqrt(meanSquare)).mul(gain);
}

function block(x, weights, layer, { rmsEpsilon }, attend) {
  const of = (name) => weights[`L${layer}.${name}`];
  const normed = rmsNorm(x.ref, of('attn_norm'), rmsEpsilon);
  const query = np.matmul(normed.ref, of('wq'));
  const key = np.matmul(normed.ref, of('wk'));
  const value = np.matmul(normed, of('wv'));
  const middle = x.add(np.matmul(attend(query, key, value), of('wo')));
  const inner = rmsNorm(middle.ref, of('ffn_norm'), rmsEpsilon);
  const gate = np.matmul(inner.ref, of('w_gate'));
  const up = np.matmul(inner, of('w_up'));
  return middle.add(np.matmul(nn.silu(gate).mul(up), of('w_down')));
}

function lossOf({ rows, tokens: length, channels, heads, layers, vocabulary }, settings) {
  const sizes = [rows, length, heads, channels / heads];
  return (weights, tokens, targets, cos, sin) => {
    const embedding = weights.tok_emb;
    // A one-hot product, not np.take(): in 0.1.25 the gradient of take (a scatter) cannot be jitted.
    const embedded = np.matmul(nn.oneHot(tokens, vocabulary), embedding.ref);
    let x = embedded.reshape([rows, length, channels]);
    for (let layer = 0; layer < layers; layer++) {
      x = block(x, weights, layer, settings, (query, key, value) =>
        nn
          .dotProductAttention(
            rotate(query, cos.ref, sin.ref, sizes),
            rotate(key, cos.ref, sin.ref, sizes),
            value.reshape(sizes),
            { isCausal: true },
          )
          .reshape([rows, length, channels]),
      );
    }
    cos.dispose();
    sin.dispose();
    const last = rmsNorm(x, weights.final_norm, settings.rmsEpsilon).reshape([rows * length, channels]);
    const logProb = nn.logSoftmax(np.matmul(last, embedding.transpose()), -1);
    return np.sum(logProb.mul(nn.oneHot(targets, vocabulary))).mul(-1 / (rows * length));
  };
}

/** (weights, first, second moments, bias corrections, batch, tables) → loss and the new state, in one program. */
function stepOf(shape, settings) {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = settings;
  const specs = parameterSpecs(shape);
  const lossAndGradients = valueAndGrad(lossOf(shape, settings));
  return jit((weights, first, second, corrections, tokens, targets, cos, sin) => {
    const [loss, gradients] = lossAndGradients(tree.ref(weights), tokens, targets, cos, sin);
    const correction1 = corrections.ref.slice(0);
    const correction2 = corrections.slice(1);
    const next = { weights: {}, first: {}, second: {} };
    for (const { name, decay } of specs) {
      const gradient = gradients[name];
      const m = first[name].mul(beta1).add(gradient.ref.mul(1 - beta1));
      const v = second[name].mul(beta2).add(np.square(gradient).mul(1 - beta2));
      const root = np.sqrt(v.ref.div(correction2.ref)).add(epsilon);
      const change = m.ref.div(correction1.ref).div(root);
      const decayed = decay ? weights[name].mul(1 - learningRate * weightDecay) : weights[name];
      next.weights[name] = decayed.sub(change.mul(learningRate));
      next.first[name] = m;
      next.second[name] = v;
    }
    correction1.dispose();
    correction2.dispose();
    return [loss, next.weights, next.first, next.second];
  });
}

async function createTrainer(shape, settings, parameters) {
  const { beta1, beta2 } = settings;
  const headSize = shape.channels / shape.heads;
  const specs = parameterSpecs(shape);
  const tables = ropeTables(shape.tokens, headSize);
  const cos = array(tables.cos, [shape.tokens, 1, headSize / 2]);
  const sin = array(tables.sin, [shape.tokens, 1, headSize / 2]);
  const stepFunction = stepOf(shape, settings);
  const each = (make) => Object.fromEntries(specs.map((spec) => [spec.name, make(spec)]));
  let weights = each(({ name, shape: sizes }) => array(parameters[name], sizes));
  let first = each(({ shape: sizes }) => np.zeros(sizes));
  let second = each(({ shape: sizes }) => np.zeros(sizes));
  let steps = 0;
  return {
    async trainStep({ tokens, targets }) {
      steps += 1;
      const corrections = np.array(new Float32Array([1 - beta1 ** steps, 1 - beta2 ** steps]));
      const batch = [np.array(tokens), np.array(targets)];
      const [loss, ...state] = stepFunction(weights, first, second, corrections, ...batch, cos.ref, sin.ref);
      [weights, first, second] = state;
      const [value] = await loss.data();
      await jax.blockUntilReady(weights);
      return value;
    },
    async readParameters() {
      const read = {};
      for (const { name } of specs) read[name] = await weights[name].ref.data();
      return read;
    },
    dispose() {
      for (const state of [weights, first, second]) tree.dispose(state);
      cos.dispose();
      sin.dispose();
    },
  };
}

/** One token for every row. The cache has its full size and is written with where(), so that one program serves all steps. */
function decodeStepOf({ rows, channels, heads, layers }, settings, room) {
  const headSize = channels / heads;
  const one = [rows, 1, heads, headSize];
  return jit((weights, keys, values, tokens, place, cos, sin, places) => {
    const embedding = weights.tok_emb;
    const here = np.equal(places.ref, place.ref).reshape([1, room, 1]);
    const seen = np.lessEqual(places, place).reshape([1, 1, 1, room]);
    const newKeys = [];
    const newValues = [];
    let x = np.take(embedding.ref, tokens, 0).reshape([rows, 1, channels]);
    for (let layer = 0; layer < layers; layer++) {
      x = block(x, weights, layer, settings, (query, key, value) => {
        const rotatedKey = rotate(key.reshape(one), cos.ref, sin.ref, one).reshape([rows, 1, channels]);
        const allKeys = np.where(here.ref, rotatedKey, keys[layer]);
        const allValues = np.where(here.ref, value, values[layer]);
        newKeys.push(allKeys.ref);
        newValues.push(allValues.ref);
        return nn
          .dotProductAttention(
            rotate(query.reshape(one), cos.ref, sin.ref, one),
            allKeys.reshape([rows, room, heads, headSize]),
            allValues.reshape([rows, room, heads, headSize]),
            { mask: seen.ref },
          )
          .reshape([rows, 1, channels]);
      });
    }
    for (const used of [here, seen, cos, sin]) used.dispose();
    const last = rmsNorm(x, weights.final_norm, settings.rmsEpsilon).reshape([rows, channels]);
    const best = np.argmax(np.matmul(last, embedding.transpose()), -1).astype(np.int32);
    return [best, newKeys, newValues];
  });
}

async function createDecoder(shape, settings, parameters) {
  const { rows, channels, heads, layers, promptTokens, newTokens } = shape;
  const half = channels / heads / 2;
  const room = promptTokens + newTokens;
  const tables = ropeTables(room, 2 * half);
  const weights = {};
  for (const { name, shape: sizes } of parameterSpecs(shape)) weights[name] = array(parameters[name], sizes);
  const step = decodeStepOf(shape, settings, room);
  const angles = (table, place) => array(table.slice(place * half, (place + 1) * half), [1, 1, half]);
  const column = (prompts, place) =>
    Int32Array.from({ length: rows }, (_, row) => prompts[row * promptTokens + place]);
  return {
    async decode(prompts) {
      const empty = () => Array.from({ length: layers }, () => np.zeros([rows, room, channels]));
      let keys = empty();
      let values = empty();
      let tokens;
      const places = np.arange(room).astype(np.int32);
      const outputs = [];
      for (let place = 0; place < room - 1; place++) {
        if (place < promptTokens) {
          tokens?.dispose();
          tokens = np.array(column(prompts, place));
        }
        const cos = angles(tables.cos, place);
        const sin = angles(tables.sin, place);
        const now = np.array(new Int32Array([place]));
        [tokens, keys, values] = step(tree.ref(weights), keys, values, tokens, now, cos, sin, places.ref);
        if (place >= promptTokens - 1) outputs.push(tokens.ref);
      }
      for (const used of [tokens, places]) used.dispose();
      tree.dispose(keys);
      tree.dispose(values);
      const columns = [];
      for (const output of outputs) columns.push(await output.data()); // tokens stay on the device until here
      return Int32Array.from(
        { length: rows * newTokens },
        (_, at) => columns[at % newTokens][Math.floor(at / newTokens)],
      );
    },
    dispose() {
      tree.dispose(weights);
    },
  };
}

async function createMatmul({ m, n, k }, aValues, bValues) {
  const a = array(aValues, [m, k]);
  const b = array(bValues, [k, n]);
  await jax.blockUntilReady([a.ref, b.ref]);
  let product;
  return {
    async run(times) {
      const products = Array.from({ length: times }, () => np.matmul(a.ref, b.ref));
      await jax.blockUntilReady(products);
      product?.dispose();
      product = products.pop();
      for (const other of products) other.dispose();
    },
    async read() {
      return product.ref.data();
    },
    dispose() {
      for (const used of [a, b, product]) used?.dispose();
    },
  };
}

/** @param device 'webgpu' or 'wasm' */
export const jaxContender = (device, label) => ({
  label,
  async setup() {
    const devices = await jax.init(device);
    if (!devices.includes(device))
      throw new Error(`jax-js has no ${device} here, only ${devices.join(', ')}`);
    jax.defaultDevice(device);
  },
  matmul: createMatmul,
  trainer: createTrainer,
  decoder: createDecoder,
});
