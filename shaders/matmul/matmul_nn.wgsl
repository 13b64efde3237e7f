// matmul_nn — product of two matrices: the gradient of a linear layer's input.
//
//   c[i,j] = scale·Σ_k a[i,k]·b[k,j] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [m,k] f32, b [k,n] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one invocation per 8 × 8 tile of c, GROUP_X × GROUP_Y a group; x over columns, y over rows
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// oracle  matmul.oracle.ts
//
// Register tiles, no workgroup memory. Each element adds its terms in ascending k, whatever m, n and the
// group's shape, so a row's result does not depend on the other rows. Rows and columns past the edge
// read the last one again and are not stored.

struct Params { m: u32, n: u32, k: u32, aStride: u32, bStride: u32, cStride: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;

override GROUP_X: u32 = 8;
override GROUP_Y: u32 = 2;
// Constants, since software adapters run both sides of a branch.
const ACCUMULATE: u32 = 0u;
const RAGGED: u32 = 1u; // 0 promises that n is a multiple of 4
const TILE = 8u; // rows and columns of c per invocation

// Four columns of a row of c; columns from n on are padding and stay as they are.
fn store(row: u32, column: u32, sum: vec4f) {
  if (row >= params.m || column >= params.n) { return; }
  let at = (row * params.cStride + column) / 4u;
  var value = params.scale * sum;
  if (ACCUMULATE != 0u) { value += c[at]; }
  let width = params.n - column;
  if (RAGGED == 0u || width >= 4u) {
    c[at] = value;
    return;
  }
  c[at].x = value.x;
  if (width > 1u) { c[at].y = value.y; }
  if (width > 2u) { c[at].z = value.z; }
}

@compute @workgroup_size(GROUP_X, GROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE;
  let column = id.x * TILE;
  if (row >= params.m || column >= params.n) { return; }
  let r0 = min(row + 0u, params.m - 1u) * params.aStride;
  let r1 = min(row + 1u, params.m - 1u) * params.aStride;
  let r2 = min(row + 2u, params.m - 1u) * params.aStride;
  let r3 = min(row + 3u, params.m - 1u) * params.aStride;
  let r4 = min(row + 4u, params.m - 1u) * params.aStride;
  let r5 = min(row + 5u, params.m - 1u) * params.aStride;
  let r6 = min(row + 6u, params.m - 1u) * params.aStride;
  let r7 = min(row + 7u, params.m - 1u) * params.aStride;
  let lastColumn = (params.n - 1u) / 4u;
  let s0 = min(column / 4u, lastColumn);
  let s1 = min(column / 4u + 1u, lastColumn);
  // Rows 0 to 7 of the tile: columns 0 to 3, and columns 4 to 7.
  var p0 = vec4f(); var q0 = vec4f();
  var p1 = vec4f(); var q1 = vec4f();
  var p2 = vec4f(); var q2 = vec4f();
  var p3 = vec4f(); var q3 = vec4f();
  var p4 = vec4f(); var q4 = vec4f();
  var p5 = vec4f(); var q5 = vec4f();
  var p6 = vec4f(); var q6 = vec4f();
  var p7 = vec4f(); var q7 = vec4f();
  for (var k = 0u; k < params.k; k++) {
    let start = k * params.bStride / 4u;
    let u = b[start + s0];
    let v = b[start + s1];
    let a0 = vec4f(a[r0 + k]); p0 = fma(a0, u, p0); q0 = fma(a0, v, q0);
    let a1 = vec4f(a[r1 + k]); p1 = fma(a1, u, p1); q1 = fma(a1, v, q1);
    let a2 = vec4f(a[r2 + k]); p2 = fma(a2, u, p2); q2 = fma(a2, v, q2);
    let a3 = vec4f(a[r3 + k]); p3 = fma(a3, u, p3); q3 = fma(a3, v, q3);
    let a4 = vec4f(a[r4 + k]); p4 = fma(a4, u, p4); q4 = fma(a4, v, q4);
    let a5 = vec4f(a[r5 + k]); p5 = fma(a5, u, p5); q5 = fma(a5, v, q5);
    let a6 = vec4f(a[r6 + k]); p6 = fma(a6, u, p6); q6 = fma(a6, v, q6);
    let a7 = vec4f(a[r7 + k]); p7 = fma(a7, u, p7); q7 = fma(a7, v, q7);
  }
  store(row + 0u, column, p0); store(row + 0u, column + 4u, q0);
  store(row + 1u, column, p1); store(row + 1u, column + 4u, q1);
  store(row + 2u, column, p2); store(row + 2u, column + 4u, q2);
  store(row + 3u, column, p3); store(row + 3u, column + 4u, q3);
  store(row + 4u, column, p4); store(row + 4u, column + 4u, q4);
  store(row + 5u, column, p5); store(row + 5u, column + 4u, q5);
  store(row + 6u, column, p6); store(row + 6u, column + 4u, q6);
  store(row + 7u, column, p7); store(row + 7u, column + 4u, q7);
}
