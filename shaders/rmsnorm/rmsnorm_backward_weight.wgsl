// rmsnorm_backward_weight — gradient of rmsnorm_forward's weight, summed chunk by chunk of rows.
//
//   partial[k,c] = Σ_{n in chunk k} dy[n,c] · x[n,c] · inverseRms[n]
//
// shapes  x and dy [N,C], inverseRms [N] → partial [ceil(N/chunkRows), C];  C a multiple of 4
// grid    one invocation per (chunk, four columns); column_sum adds the chunks up
// writes  partial =
// oracle  rmsnorm.oracle.ts

struct Params { rows: u32, channels: u32, chunkRows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> inverseRms: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> partial: array<vec4f>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let vectors = params.channels / 4u;
  let first = unit / vectors * params.chunkRows;
  let c = unit % vectors;
  if (first >= params.rows) { return; }

  var sum = vec4f();
  for (var n = first; n < min(first + params.chunkRows, params.rows); n++) {
    sum = fma(dy[n * vectors + c], x[n * vectors + c] * inverseRms[n], sum);
  }
  partial[unit] = sum;
}
