// rmsnorm_backward — gradient of rmsnorm_forward with respect to its input.
//
//   g[n,c]   = dy[n,c] · weight[c],   r = inverseRms[n]
//   dx[n,c] += r · g[n,c] − x[n,c] · (r³/C) · Σ_c' g[n,c'] · x[n,c']
//
// shapes  x and dy [N,C], weight [C], inverseRms [N] → dx [N,C];  C a multiple of 4
// grid    one invocation per row
// writes  dx +=  (a residual join)
// oracle  rmsnorm.oracle.ts

struct Params { rows: u32, channels: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read> inverseRms: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  if (unit >= params.rows) { return; }
  let vectors = params.channels / 4u;
  let start = unit * vectors;

  var products = vec4f();
  for (var c = 0u; c < vectors; c++) { products = fma(dy[start + c] * weight[c], x[start + c], products); }
  let r = inverseRms[unit];
  let along = r * r * r * dot(products, vec4f(1.0)) / f32(params.channels);
  for (var c = 0u; c < vectors; c++) {
    dx[start + c] += r * (dy[start + c] * weight[c]) - along * x[start + c];
  }
}
