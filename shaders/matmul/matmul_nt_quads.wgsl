// matmul_nt_quads — matmul_nt where the device has subgroups: a quad shares what it loads.
//
//   c[i,j] = scale·Σ_k a[i,k]·b[j,k] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [m,k] f32, b [n,k] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one quad (four invocations of a subgroup) per 16 × 16 tile of c, QUADS_X × QUADS_Y a group; x over columns
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// needs   the feature subgroups, the language feature subgroup_id
// oracle  matmul.oracle.ts
//
// Lanes 0 1 / 2 3 of a quad lie as their 8 × 8 tiles do in c. A lane loads half of its rows of a and half of its rows of
// b, and swaps them with its neighbours: its "own" rows come first among the accumulators, so nothing is selected.
// Each element adds its terms in ascending k: bit for bit matmul_nt.

enable subgroups;

struct Params { m: u32, n: u32, k: u32, aStride: u32, bStride: u32, cStride: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;

override QUADS_X: u32 = 4;
override QUADS_Y: u32 = 1;

// #use matmul/quad_tile

// #use matmul/store

@compute @workgroup_size(4u * QUADS_X * QUADS_Y)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroupSize: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  // #use matmul/quad_place

  let lastRow = params.m - 1u;
  let lastColumn = params.n - 1u;
  let r0 = min(ownRow + 0u, lastRow) * params.aStride / 4u;
  let r1 = min(ownRow + 1u, lastRow) * params.aStride / 4u;
  let r2 = min(ownRow + 2u, lastRow) * params.aStride / 4u;
  let r3 = min(ownRow + 3u, lastRow) * params.aStride / 4u;
  let s0 = min(ownColumn + 0u, lastColumn) * params.bStride / 4u;
  let s1 = min(ownColumn + 1u, lastColumn) * params.bStride / 4u;
  let s2 = min(ownColumn + 2u, lastColumn) * params.bStride / 4u;
  let s3 = min(ownColumn + 3u, lastColumn) * params.bStride / 4u;
  let whole = params.k / 4u;
  for (var k = 0u; k < whole; k++) {
    let a0 = a[r0 + k];
    let a1 = a[r1 + k];
    let a2 = a[r2 + k];
    let a3 = a[r3 + k];
    let b0 = b[s0 + k];
    let b1 = b[s1 + k];
    let b2 = b[s2 + k];
    let b3 = b[s3 + k];
    // Swapped where they are used: fewer values are alive at once, and so fewer go through memory on a CPU.
    let ownX = vec4f(a0.x, a1.x, a2.x, a3.x);
    let otherX = quadSwapX(ownX);
    let columnsX = vec4f(b0.x, b1.x, b2.x, b3.x);
    add(&p, ownX, otherX, columnsX);
    add(&q, ownX, otherX, quadSwapY(columnsX));
    let ownY = vec4f(a0.y, a1.y, a2.y, a3.y);
    let otherY = quadSwapX(ownY);
    let columnsY = vec4f(b0.y, b1.y, b2.y, b3.y);
    add(&p, ownY, otherY, columnsY);
    add(&q, ownY, otherY, quadSwapY(columnsY));
    let ownZ = vec4f(a0.z, a1.z, a2.z, a3.z);
    let otherZ = quadSwapX(ownZ);
    let columnsZ = vec4f(b0.z, b1.z, b2.z, b3.z);
    add(&p, ownZ, otherZ, columnsZ);
    add(&q, ownZ, otherZ, quadSwapY(columnsZ));
    let ownW = vec4f(a0.w, a1.w, a2.w, a3.w);
    let otherW = quadSwapX(ownW);
    let columnsW = vec4f(b0.w, b1.w, b2.w, b3.w);
    add(&p, ownW, otherW, columnsW);
    add(&q, ownW, otherW, quadSwapY(columnsW));
  }
  for (var k = 4u * whole; k < params.k; k++) {
    let i = k % 4u;
    let own = vec4f(a[r0 + whole][i], a[r1 + whole][i], a[r2 + whole][i], a[r3 + whole][i]);
    let other = quadSwapX(own);
    let columns = vec4f(b[s0 + whole][i], b[s1 + whole][i], b[s2 + whole][i], b[s3 + whole][i]);
    add(&p, own, other, columns);
    add(&q, own, other, quadSwapY(columns));
  }
  // #use matmul/quad_store
}
