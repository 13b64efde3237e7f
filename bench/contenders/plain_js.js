// Plain JavaScript on Float32Array, one thread: what a GPU library has to beat. Matrix product only.

/** c = a·b, four rows of b at a time so that c is read and written a quarter as often. */
function multiply({ m, n, k }, a, b, c) {
  c.fill(0);
  for (let i = 0; i < m; i++) {
    const row = i * n;
    for (let p = 0; p < k; p += 4) {
      const at = i * k + p;
      const [a0, a1, a2, a3] = [a[at], a[at + 1], a[at + 2], a[at + 3]];
      const b0 = p * n;
      const b1 = b0 + n;
      const b2 = b1 + n;
      const b3 = b2 + n;
      for (let j = 0; j < n; j++)
        c[row + j] += a0 * b[b0 + j] + a1 * b[b1 + j] + a2 * b[b2 + j] + a3 * b[b3 + j];
    }
  }
}

export default {
  label: 'plain JavaScript, one thread',
  async setup() {},
  async matmul(shape, a, b) {
    const c = new Float32Array(shape.m * shape.n);
    return {
      async run(times) {
        for (let time = 0; time < times; time++) multiply(shape, a, b, c);
      },
      async read() {
        return c;
      },
      dispose() {},
    };
  },
};
