/**
 * The decoder in float64 with all parameter gradients, written on a tape: shares no code with the kernels nor with
 * model.oracle.ts, which its test compares it with.
 */
import type { ModelConfig, TokenBatch } from '../../src/units.ts';
import { Tape, type Value } from './tape.ts';

type Vector = readonly Value[];

/** Forward values per scored token, and the gradients of any loss that reads them. */
export interface DifferentiableScores {
  readonly logProb: Float64Array; // [S] nats
  readonly entropy: Float64Array; // [S] nats
  /** @param dlogProb, dentropy [S] → gradients by parameter name */
  gradients(dlogProb: ArrayLike<number>, dentropy: ArrayLike<number>): Map<string, Float64Array>;
}

class Decoder {
  readonly tape = new Tape();
  readonly parameters = new Map<string, Vector>();
  readonly #config: ModelConfig;
  readonly #batch: TokenBatch;

  constructor(config: ModelConfig, values: ReadonlyMap<string, ArrayLike<number>>, batch: TokenBatch) {
    this.#config = config;
    this.#batch = batch;
    for (const [name, numbers] of values) {
      this.parameters.set(
        name,
        Array.from(numbers, (value) => this.tape.push(value)),
      );
    }
  }

  /** Logits of every token's successor, [N][V], before temperature. */
  logits(): Vector[] {
    const { layers, tiedOutput, logitScale, vocabularySize } = this.#config;
    let xs = Array.from(this.#batch.tokens, (_, n) => this.#embed(n));
    for (let layer = 0; layer < layers; layer++) xs = this.#layer(`layers.${layer}`, xs);
    const output = tiedOutput ? 'embed.weight' : 'output.weight';
    return xs.map((x) =>
      this.#linear(output, this.#norm('final_norm.weight', x), vocabularySize).map((logit) =>
        this.tape.sum([logit], [logitScale]),
      ),
    );
  }

  /** Log-probability of `chosen` and entropy under softmax(logits / temperature). */
  stats(logits: Vector, chosen: number, temperature: number): { logProb: Value; entropy: Value } {
    const { tape } = this;
    const scaled = logits.map((logit) => tape.of(logit) / temperature);
    const largest = Math.max(...scaled);
    const lse = largest + Math.log(scaled.reduce((sum, z) => sum + Math.exp(z - largest), 0));
    const p = scaled.map((z) => Math.exp(z - lse));
    const entropy = p.reduce((sum, pv, v) => sum + pv * (lse - scaled[v]), 0);
    const byLogProb = p.map((pv, v) => ((v === chosen ? 1 : 0) - pv) / temperature);
    const byEntropy = p.map((pv, v) => (pv * (lse - scaled[v] - entropy)) / temperature);
    return {
      logProb: tape.push(scaled[chosen] - lse, logits, byLogProb),
      entropy: tape.push(entropy, logits, byEntropy),
    };
  }

  /** Row `index` of a matrix with rows of `width`. */
  #row(name: string, index: number, width: number): Vector {
    return this.parameters.get(name)!.slice(index * width, (index + 1) * width);
  }

  #linear(name: string, x: Vector, outputs: number): Vector {
    return Array.from({ length: outputs }, (_, o) => this.tape.dot(this.#row(name, o, x.length), x));
  }

  #add(x: Vector, y: Vector): Vector {
    return x.map((value, c) => this.tape.sum([value, y[c]]));
  }

  #norm(name: string, x: Vector): Vector {
    const { tape } = this;
    const meanSquare = tape.sum(
      [tape.dot(x, x)],
      [1 / x.length], // dot's two partials by the same value add up to 2x
    );
    const inverse = tape.map(
      meanSquare,
      (m) => (m + this.#config.rmsEpsilon) ** -0.5,
      (m) => -0.5 * (m + this.#config.rmsEpsilon) ** -1.5,
    );
    return x.map((value, c) => {
      const normed = tape.dot([value], [inverse]);
      return tape.dot([normed], [this.parameters.get(name)![c]]);
    });
  }

  #embed(n: number): Vector {
    const { channels, previousTokenMixing } = this.#config;
    const { tokens, previous } = this.#batch;
    const own = this.#row('embed.weight', tokens[n], channels);
    if (!previousTokenMixing) return own;
    const before = previous[n] < 0 ? 0 : tokens[previous[n]];
    return this.#add(
      own,
      this.#linear('previous.weight', this.#row('embed.weight', before, channels), channels),
    );
  }

  /** Rotates pairs (j, j + HS/2) by position·θ^(−2j/HS). */
  #rotate(x: Vector, position: number): Vector {
    const half = x.length / 2;
    return x.map((_, c) => {
      const j = c % half;
      const angle = position * this.#config.ropeTheta ** ((-2 * j) / x.length);
      const sign = c < half ? -1 : 1;
      return this.tape.sum([x[c], x[(c + half) % x.length]], [Math.cos(angle), sign * Math.sin(angle)]);
    });
  }

  #heads(prefix: string, kind: 'q' | 'k' | 'v', count: number, x: Vector, n: number): Vector[] {
    const { headSize, queryKeyNorm } = this.#config;
    const all = this.#linear(`${prefix}.attn.${kind}_proj.weight`, x, count * headSize);
    return Array.from({ length: count }, (_, h) => {
      const head = all.slice(h * headSize, (h + 1) * headSize);
      if (kind === 'v') return head;
      const normed = queryKeyNorm ? this.#norm(`${prefix}.attn.${kind}_norm.weight`, head) : head;
      return this.#rotate(normed, this.#batch.positions[n]);
    });
  }

  /** softmax(q·K/√HS)·V over the keys that token n reads. */
  #attend(query: Vector, keys: readonly Vector[], values: readonly Vector[]): Vector {
    const { tape } = this;
    const scores = keys.map((key) => tape.sum([tape.dot(query, key)], [1 / Math.sqrt(query.length)]));
    const largest = Math.max(...scores.map((score) => tape.of(score)));
    const exponentials = scores.map((score) => tape.map(score, (s) => Math.exp(s - largest), (s) => Math.exp(s - largest))); // prettier-ignore
    const inverse = tape.map(tape.sum(exponentials), (sum) => 1 / sum, (sum) => -1 / sum ** 2); // prettier-ignore
    return query.map((_, c) => {
      const mixed = tape.dot(exponentials, values.map((value) => value[c])); // prettier-ignore
      return tape.dot([mixed], [inverse]);
    });
  }

  #layer(prefix: string, xs: readonly Vector[]): Vector[] {
    const { heads, kvHeads, channels, hidden } = this.#config;
    const { visibleStart, visibleEnd } = this.#batch;
    const normed = xs.map((x) => this.#norm(`${prefix}.input_norm.weight`, x));
    const queries = normed.map((x, n) => this.#heads(prefix, 'q', heads, x, n));
    const keys = normed.map((x, n) => this.#heads(prefix, 'k', kvHeads, x, n));
    const values = normed.map((x, n) => this.#heads(prefix, 'v', kvHeads, x, n));
    return xs.map((x, n) => {
      const read = [...xs.keys()].filter((j) => j <= n && n < visibleEnd[j] && j >= visibleStart[n]);
      const attended = queries[n].flatMap((query, h) => {
        const group = Math.floor((h * kvHeads) / heads);
        return this.#attend(
          query,
          read.map((j) => keys[j][group]),
          read.map((j) => values[j][group]),
        );
      });
      const middle = this.#add(x, this.#linear(`${prefix}.attn.o_proj.weight`, attended, channels));
      const input = this.#norm(`${prefix}.post_attn_norm.weight`, middle);
      const gate = this.#linear(`${prefix}.mlp.gate_proj.weight`, input, hidden);
      const up = this.#linear(`${prefix}.mlp.up_proj.weight`, input, hidden);
      const swiglu = gate.map((g, f) => this.tape.dot([this.#silu(g)], [up[f]]));
      return this.#add(middle, this.#linear(`${prefix}.mlp.down_proj.weight`, swiglu, channels));
    });
  }

  #silu(x: Value): Value {
    const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
    return this.tape.map(
      x,
      (v) => v * sigmoid(v),
      (v) => sigmoid(v) * (1 + v * (1 - sigmoid(v))),
    );
  }
}

/** @param values parameters by file name, row-major */
export function differentiableScores(
  config: ModelConfig,
  values: ReadonlyMap<string, ArrayLike<number>>,
  batch: TokenBatch,
  temperature: number,
): DifferentiableScores {
  const decoder = new Decoder(config, values, batch);
  const { tape, parameters } = decoder;
  const logits = decoder.logits();
  const predicted = Array.from(batch.predicted, (token) =>
    decoder.stats(logits[batch.previous[token]], batch.tokens[token], temperature),
  );
  const rows = Array.from(batch.scored, (u) => predicted[u]);
  return {
    logProb: Float64Array.from(rows, ({ logProb }) => tape.of(logProb)),
    entropy: Float64Array.from(rows, ({ entropy }) => tape.of(entropy)),
    gradients: (dlogProb, dentropy) => {
      const seeds = rows.flatMap(({ logProb, entropy }, s) => [
        [logProb, dlogProb[s]] as const,
        [entropy, dentropy[s]] as const,
      ]);
      const gradient = tape.gradient(seeds);
      const named = [...parameters].map(
        ([name, vector]) => [name, Float64Array.from(vector, (value) => gradient[value])] as const,
      );
      return new Map(named);
    },
  };
}
