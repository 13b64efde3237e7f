// matmul_nn_quads — matmul_nn where the device has subgroups: a quad shares what it loads.
//
//   c[i,j] = scale·Σ_k a[i,k]·b[k,j] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [m,k] f32, b [k,n] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one quad (four invocations of a subgroup) per 16 × 16 tile of c, QUADS_X × QUADS_Y a group; x over columns
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// needs   the feature subgroups, the language feature subgroup_id
// oracle  matmul.oracle.ts
//
// Lanes 0 1 / 2 3 of a quad lie as their 8 × 8 tiles do in c. A lane loads half of its rows of a and half of its
// columns of b, and swaps them with its neighbours: its "own" rows come first among the accumulators, so nothing is
// selected.
// Each element adds its terms in ascending k: bit for bit matmul_nn.

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
  let r0 = min(ownRow + 0u, lastRow) * params.aStride / 4u;
  let r1 = min(ownRow + 1u, lastRow) * params.aStride / 4u;
  let r2 = min(ownRow + 2u, lastRow) * params.aStride / 4u;
  let r3 = min(ownRow + 3u, lastRow) * params.aStride / 4u;
  let s = min(ownColumn, params.n - 1u) / 4u;
  let step = params.bStride / 4u;
  let whole = params.k / 4u;
  for (var k = 0u; k < whole; k++) {
    let a0 = a[r0 + k];
    let a1 = a[r1 + k];
    let a2 = a[r2 + k];
    let a3 = a[r3 + k];
    let start = s + 4u * k * step;
    let b0 = b[start];
    let b1 = b[start + step];
    let b2 = b[start + 2u * step];
    let b3 = b[start + 3u * step];
    // Swapped where they are used: fewer values are alive at once, and so fewer go through memory on a CPU.
    let ownX = vec4f(a0.x, a1.x, a2.x, a3.x);
    let otherX = quadSwapX(ownX);
    add(&p, ownX, otherX, b0);
    add(&q, ownX, otherX, quadSwapY(b0));
    let ownY = vec4f(a0.y, a1.y, a2.y, a3.y);
    let otherY = quadSwapX(ownY);
    add(&p, ownY, otherY, b1);
    add(&q, ownY, otherY, quadSwapY(b1));
    let ownZ = vec4f(a0.z, a1.z, a2.z, a3.z);
    let otherZ = quadSwapX(ownZ);
    add(&p, ownZ, otherZ, b2);
    add(&q, ownZ, otherZ, quadSwapY(b2));
    let ownW = vec4f(a0.w, a1.w, a2.w, a3.w);
    let otherW = quadSwapX(ownW);
    add(&p, ownW, otherW, b3);
    add(&q, ownW, otherW, quadSwapY(b3));
  }
  for (var k = 4u * whole; k < params.k; k++) {
    let i = k % 4u;
    let own = vec4f(a[r0 + whole][i], a[r1 + whole][i], a[r2 + whole][i], a[r3 + whole][i]);
    let other = quadSwapX(own);
    let columns = b[s + k * step];
    add(&p, own, other, columns);
    add(&q, own, other, quadSwapY(columns));
  }
  // #use matmul/quad_store
}
