// matmul_swiglu — the feed-forward layer's first half in one kernel: product with gate and up weights, then their gating.
//
//   gate[i,f] = Σ_k x[i,k]·weight[f,k],   up[i,f] = Σ_k x[i,k]·weight[F+f,k]
//   h[i,f]    = gate · sigmoid(gate) · up
//
// shapes  x [rows,K], weight [2F,K] (gate rows, then up rows) → h [rows,F];  K and F multiples of 4
// grid    one invocation per 8 rows × 4 columns of h, GROUP_X × GROUP_Y a group; x over columns, y over rows
// writes  h =
// order   sums in ascending k, then the arithmetic of swiglu_forward: bit for bit matmul_nt and swiglu_forward
// oracle  swiglu.oracle.ts
//
// For decoding, which keeps neither gate nor up. A lane's tile is that of matmul_nt with the gates in the place of its
// first four columns and the ups in that of the others, so nothing is exchanged before the gating.

struct Params { rows: u32, hidden: u32, inputs: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> h: array<vec4f>;

override GROUP_X: u32 = 8;
override GROUP_Y: u32 = 2;
const TILE = 8u; // rows per invocation

// #use sigmoid

fn store(row: u32, column: u32, gate: vec4f, up: vec4f) {
  if (row >= params.rows) { return; }
  h[(row * params.hidden + column) / 4u] = gate * sigmoid(gate) * up;
}

@compute @workgroup_size(GROUP_X, GROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE;
  let column = id.x * 4u;
  if (row >= params.rows || column >= params.hidden) { return; }
  let r0 = min(row + 0u, params.rows - 1u) * params.inputs;
  let r1 = min(row + 1u, params.rows - 1u) * params.inputs;
  let r2 = min(row + 2u, params.rows - 1u) * params.inputs;
  let r3 = min(row + 3u, params.rows - 1u) * params.inputs;
  let r4 = min(row + 4u, params.rows - 1u) * params.inputs;
  let r5 = min(row + 5u, params.rows - 1u) * params.inputs;
  let r6 = min(row + 6u, params.rows - 1u) * params.inputs;
  let r7 = min(row + 7u, params.rows - 1u) * params.inputs;
  let s0 = (column + 0u) * params.inputs;
  let s1 = (column + 1u) * params.inputs;
  let s2 = (column + 2u) * params.inputs;
  let s3 = (column + 3u) * params.inputs;
  let up = params.hidden * params.inputs;
  // Rows 0 to 7: gates, and ups.
  // #use matmul/tile_sums
  for (var k = 0u; k < params.inputs; k++) {
    let u = vec4f(weight[s0 + k], weight[s1 + k], weight[s2 + k], weight[s3 + k]);
    let v = vec4f(weight[up + s0 + k], weight[up + s1 + k], weight[up + s2 + k], weight[up + s3 + k]);
    let x0 = vec4f(x[r0 + k]); p0 = fma(x0, u, p0); q0 = fma(x0, v, q0);
    let x1 = vec4f(x[r1 + k]); p1 = fma(x1, u, p1); q1 = fma(x1, v, q1);
    let x2 = vec4f(x[r2 + k]); p2 = fma(x2, u, p2); q2 = fma(x2, v, q2);
    let x3 = vec4f(x[r3 + k]); p3 = fma(x3, u, p3); q3 = fma(x3, v, q3);
    let x4 = vec4f(x[r4 + k]); p4 = fma(x4, u, p4); q4 = fma(x4, v, q4);
    let x5 = vec4f(x[r5 + k]); p5 = fma(x5, u, p5); q5 = fma(x5, v, q5);
    let x6 = vec4f(x[r6 + k]); p6 = fma(x6, u, p6); q6 = fma(x6, v, q6);
    let x7 = vec4f(x[r7 + k]); p7 = fma(x7, u, p7); q7 = fma(x7, v, q7);
  }
  store(row + 0u, column, p0, q0);
  store(row + 1u, column, p1, q1);
  store(row + 2u, column, p2, q2);
  store(row + 3u, column, p3, q3);
  store(row + 4u, column, p4, q4);
  store(row + 5u, column, p5, q5);
  store(row + 6u, column, p6, q6);
  store(row + 7u, column, p7, q7);
}
