// rmsnorm_forward — root-mean-square norm of each row.
//
//   inverseRms[n] = ((1/C) · Σ_c x[n,c]² + ε)^−½
//   y[n,c]        = x[n,c] · inverseRms[n] · weight[c]
//
// shapes  x [N,C], weight [C] → y [N,C], inverseRms [N];  C a multiple of 4
// grid    one invocation per row
// writes  y = , inverseRms =
// oracle  rmsnorm.oracle.ts

struct Params { rows: u32, channels: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> inverseRms: array<f32>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  if (unit >= params.rows) { return; }
  let vectors = params.channels / 4u;
  let start = unit * vectors;

  var squares = vec4f();
  for (var c = 0u; c < vectors; c++) { squares = fma(x[start + c], x[start + c], squares); }
  let r = inverseSqrt(dot(squares, vec4f(1.0)) / f32(params.channels) + params.epsilon);
  for (var c = 0u; c < vectors; c++) { y[start + c] = x[start + c] * r * weight[c]; }
  inverseRms[unit] = r;
}
