// matmul_nn_tiles — matmul_nn for graphics cards: a group shares what it loads through workgroup memory.
//
//   c[i,j] = scale·Σ_k a[i,k]·b[k,j] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [m,k] f32, b [k,n] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one group per SIDE × SIDE tile of c; x over columns, y over rows
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// oracle  matmul.oracle.ts
//
// Each element adds its terms in ascending k, one by one: bit for bit matmul_nn.

struct Params { m: u32, n: u32, k: u32, aStride: u32, bStride: u32, cStride: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;

// #use matmul/tile_blocks

// #use matmul/bring_a_rows

// #use matmul/bring_b_columns

@compute @workgroup_size(LANES, LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // #use matmul/tile_product
}
