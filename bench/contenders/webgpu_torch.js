// webgpu-torch 0.3.5 has a 2-D product and element-wise gradients, but no batched product, gather, softmax along an
// axis or optimiser: a transformer cannot be written in it. Matrix product only.
import * as torch from 'webgpu-torch';

const nested = (values, rows, columns) =>
  Array.from({ length: rows }, (_, row) => Array.from(values.subarray(row * columns, (row + 1) * columns)));

export default {
  label: 'webgpu-torch 0.3.5',
  async setup() {
    if (!(await torch.initWebGPUAsync())) throw new Error('initWebGPUAsync() gave no device');
  },
  async matmul({ m, n, k }, aValues, bValues) {
    const a = torch.tensor(nested(aValues, m, k));
    const b = torch.tensor(nested(bValues, k, n));
    let c;
    return {
      async run(times) {
        for (let time = 0; time < times; time++) c = a.mm(b);
        await c.storage.mapReadAsync();
      },
      async read() {
        return Float32Array.from((await c.toArrayAsync()).flat());
      },
      dispose() {},
    };
  },
};
