// matmul_nt — product with a transposed matrix: the forward pass of a linear layer.
//
//   c[i,j] = scale·Σ_k a[i,k]·b[j,k] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [m,k] f32, b [n,k] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one invocation per 8 × 8 tile of c, GROUP_X × GROUP_Y a group; x over columns, y over rows
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// oracle  matmul.oracle.ts
//
// Register tiles, no workgroup memory. Each element adds its terms in ascending k, whatever m, n and the
// group's shape, so a row's result does not depend on the other rows. Rows and columns past the edge
// read the last one again and are not stored. One k at a time: unrolled by 4 it
// is slower on software adapters (the loop outgrows the instruction cache).

struct Params { m: u32, n: u32, k: u32, aStride: u32, bStride: u32, cStride: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
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
  let s0 = min(column + 0u, params.n - 1u) * params.bStride;
  let s1 = min(column + 1u, params.n - 1u) * params.bStride;
  let s2 = min(column + 2u, params.n - 1u) * params.bStride;
  let s3 = min(column + 3u, params.n - 1u) * params.bStride;
  let s4 = min(column + 4u, params.n - 1u) * params.bStride;
  let s5 = min(column + 5u, params.n - 1u) * params.bStride;
  let s6 = min(column + 6u, params.n - 1u) * params.bStride;
  let s7 = min(column + 7u, params.n - 1u) * params.bStride;
  // Rows 0 to 7 of the tile: columns 0 to 3, and columns 4 to 7.
  // #use matmul/tile_sums
  for (var k = 0u; k < params.k; k++) {
    let u = vec4f(b[s0 + k], b[s1 + k], b[s2 + k], b[s3 + k]);
    let v = vec4f(b[s4 + k], b[s5 + k], b[s6 + k], b[s7 + k]);
    // #use matmul/tile_add
  }
  // #use matmul/tile_store
}
