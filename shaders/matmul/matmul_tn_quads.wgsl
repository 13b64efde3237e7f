// matmul_tn_quads — matmul_tn where the device has subgroups: a quad shares what it loads.
//
//   c[i,j] = scale·Σ_k a[k,i]·b[k,j] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [k,m] f32, b [k,n] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one quad (four invocations of a subgroup) per 16 × 16 tile of c, QUADS_X × QUADS_Y a group; x over columns
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// needs   the feature subgroups, the language feature subgroup_id
// oracle  matmul.oracle.ts
//
// Lanes 0 1 / 2 3 of a quad lie as their 8 × 8 tiles do in c. A lane loads four of its eight columns of a and of b, and
// swaps them with its neighbours: its "own" rows of c come first among the accumulators, so nothing is selected.
// Each element adds its terms in ascending k: bit for bit matmul_tn.

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

  let r = min(ownRow, params.m - 1u) / 4u;
  let s = min(ownColumn, params.n - 1u) / 4u;
  let aStep = params.aStride / 4u;
  let bStep = params.bStride / 4u;
  let whole = params.k / 4u * 4u;
  for (var k = 0u; k < whole; k += 4u) {
    let at = r + k * aStep;
    let start = s + k * bStep;
    let a0 = a[at];
    let a1 = a[at + aStep];
    let a2 = a[at + 2u * aStep];
    let a3 = a[at + 3u * aStep];
    let b0 = b[start];
    let b1 = b[start + bStep];
    let b2 = b[start + 2u * bStep];
    let b3 = b[start + 3u * bStep];
    let other0 = quadSwapX(a0);
    add(&p, a0, other0, b0);
    add(&q, a0, other0, quadSwapY(b0));
    let other1 = quadSwapX(a1);
    add(&p, a1, other1, b1);
    add(&q, a1, other1, quadSwapY(b1));
    let other2 = quadSwapX(a2);
    add(&p, a2, other2, b2);
    add(&q, a2, other2, quadSwapY(b2));
    let other3 = quadSwapX(a3);
    add(&p, a3, other3, b3);
    add(&q, a3, other3, quadSwapY(b3));
  }
  for (var k = whole; k < params.k; k++) {
    let own = a[r + k * aStep];
    let other = quadSwapX(own);
    let columns = b[s + k * bStep];
    add(&p, own, other, columns);
    add(&q, own, other, quadSwapY(columns));
  }
  // #use matmul/quad_store
}
