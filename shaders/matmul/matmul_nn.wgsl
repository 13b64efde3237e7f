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
const TILE = 8u; // rows and columns of c per invocation

// #use matmul/store

@compute @workgroup_size(GROUP_X, GROUP_Y)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y * TILE;
  let column = id.x * TILE;
  if (row >= params.m || column >= params.n) { return; }
  // #use matmul/tile_rows
  let lastColumn = (params.n - 1u) / 4u;
  let s0 = min(column / 4u, lastColumn);
  let s1 = min(column / 4u + 1u, lastColumn);
  // Rows 0 to 7 of the tile: columns 0 to 3, and columns 4 to 7.
  // #use matmul/tile_sums
  for (var k = 0u; k < params.k; k++) {
    let start = k * params.bStride / 4u;
    let u = b[start + s0];
    let v = b[start + s1];
    // #use matmul/tile_add
  }
  // #use matmul/tile_store
}
