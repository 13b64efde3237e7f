// matmul_tn — product with a transposed first matrix: the gradient of a linear layer's weight.
//
//   c[i,j] = scale·Σ_k a[k,i]·b[k,j] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [k,m] f32, b [k,n] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one invocation per 8 × 8 tile of c, GROUP_X × GROUP_Y a group; x over columns, y over rows
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// oracle  matmul.oracle.ts
//
// Register tiles, no workgroup memory. Each element adds its terms in ascending k, whatever m, n and the
// group's shape, so a row's result does not depend on the other rows. Rows and columns past the edge
// read the last one again and are not stored.

struct Params { m: u32, n: u32, k: u32, aStride: u32, bStride: u32, cStride: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;

override GROUP_X: u32 = 8;
override GROUP_Y: u32 = 2;
const TILE = 8u; // rows and columns of c per invocation

// #use matmul/store

@compute @workgroup_size(GROUP_X, GROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE;
  let column = id.x * TILE;
  if (row >= params.m || column >= params.n) { return; }
  let lastRow = (params.m - 1u) / 4u;
  let r0 = min(row / 4u, lastRow);
  let r1 = min(row / 4u + 1u, lastRow);
  let lastColumn = (params.n - 1u) / 4u;
  let s0 = min(column / 4u, lastColumn);
  let s1 = min(column / 4u + 1u, lastColumn);
  // Rows 0 to 7 of the tile: columns 0 to 3, and columns 4 to 7.
  // #use matmul/tile_sums
  for (var k = 0u; k < params.k; k++) {
    let aStart = k * params.aStride / 4u;
    let bStart = k * params.bStride / 4u;
    let x = a[aStart + r0];
    let y = a[aStart + r1];
    let u = b[bStart + s0];
    let v = b[bStart + s1];
    let a0 = vec4f(x.x); p0 = fma(a0, u, p0); q0 = fma(a0, v, q0);
    let a1 = vec4f(x.y); p1 = fma(a1, u, p1); q1 = fma(a1, v, q1);
    let a2 = vec4f(x.z); p2 = fma(a2, u, p2); q2 = fma(a2, v, q2);
    let a3 = vec4f(x.w); p3 = fma(a3, u, p3); q3 = fma(a3, v, q3);
    let a4 = vec4f(y.x); p4 = fma(a4, u, p4); q4 = fma(a4, v, q4);
    let a5 = vec4f(y.y); p5 = fma(a5, u, p5); q5 = fma(a5, v, q5);
    let a6 = vec4f(y.z); p6 = fma(a6, u, p6); q6 = fma(a6, v, q6);
    let a7 = vec4f(y.w); p7 = fma(a7, u, p7); q7 = fma(a7, v, q7);
  }
  // #use matmul/tile_store
}
