/** Reverse-mode differentiation of scalars in float64: every value keeps its parents and ∂value/∂parent. */

/** Index of a value on its tape. */
export type Value = number;

export class Tape {
  readonly #values: number[] = [];
  readonly #parents: (readonly Value[])[] = [];
  readonly #partials: (readonly number[])[] = []; // ∂value/∂parent, in the parents' order

  of(value: Value): number {
    return this.#values[value];
  }

  push(value: number, parents: readonly Value[] = [], partials: readonly number[] = []): Value {
    this.#parents.push(parents);
    this.#partials.push(partials);
    return this.#values.push(value) - 1;
  }

  /** Σ a_i·b_i */
  dot(a: readonly Value[], b: readonly Value[]): Value {
    const [x, y] = [a.map((value) => this.of(value)), b.map((value) => this.of(value))];
    return this.push(
      x.reduce((sum, value, i) => sum + value * y[i], 0),
      [...a, ...b],
      [...y, ...x],
    );
  }

  /** Σ factor_i·a_i, constant factors */
  sum(a: readonly Value[], factors: readonly number[] = a.map(() => 1)): Value {
    const total = a.reduce((sum, value, i) => sum + factors[i] * this.of(value), 0);
    return this.push(total, a, factors);
  }

  /** f(a) with its derivative */
  map(a: Value, f: (x: number) => number, derivative: (x: number) => number): Value {
    return this.push(f(this.of(a)), [a], [derivative(this.of(a))]);
  }

  /** Gradient of Σ seed·value by every value on the tape. */
  gradient(seeds: readonly (readonly [Value, number])[]): Float64Array {
    const gradient = new Float64Array(this.#values.length);
    for (const [value, seed] of seeds) gradient[value] += seed;
    for (let value = gradient.length - 1; value >= 0; value--) {
      const partials = this.#partials[value];
      this.#parents[value].forEach((parent, i) => (gradient[parent] += partials[i] * gradient[value]));
    }
    return gradient;
  }
}
