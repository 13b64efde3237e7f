// matmul_tn_small_tiles — matmul_tn for graphics cards where c is small: more groups, each a long way along k.
//
//   c[i,j] = scale·Σ_k a[k,i]·b[k,j] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [k,m] f32, b [k,n] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one group of 8 × 8 lanes per 16 × 16 tile of c, a lane two rows of two columns; x over columns, y over rows
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// oracle  matmul.oracle.ts
//
// Each element adds its terms in ascending k, one by one: bit for bit matmul_tn.

struct Params { m: u32, n: u32, k: u32, aStride: u32, bStride: u32, cStride: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec2f>;

const ACCUMULATE: u32 = 0u;
const RAGGED: u32 = 1u; // 0 promises that n is a multiple of 4
const DEPTH = 64u; // k that workgroup memory holds at a time
const SHARE = 4u; // vectors that a lane brings of each matrix: DEPTH · 4 / 64

// Two rows of a, two columns of b a vector, eight for each k.
var<workgroup> aTile: array<vec2f, DEPTH * 8u>;
var<workgroup> bTile: array<vec2f, DEPTH * 8u>;

// Two columns of a row of c; columns from n on are padding and stay as they are.
fn store(row: u32, column: u32, sum: vec2f) {
  if (row >= params.m || column >= params.n) { return; }
  let at = (row * params.cStride + column) / 2u;
  var value = params.scale * sum;
  if (ACCUMULATE != 0u) { value += c[at]; }
  if (RAGGED == 0u || column + 1u < params.n) {
    c[at] = value;
    return;
  }
  c[at].x = value.x;
}

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.y * 16u;
  let column = group.x * 16u;
  let ownRow = min(row / 4u + lane % 4u, (params.m - 1u) / 4u);
  let ownColumn = min(column / 4u + lane % 4u, (params.n - 1u) / 4u);
  var s = vec2f(); // the upper row
  var t = vec2f();
  for (var k = 0u; k < params.k; k += DEPTH) {
    var fromA: array<vec4f, SHARE>;
    var fromB: array<vec4f, SHARE>;
    // All are asked for before one is put down; what lies past k counts as 0.
    for (var i = 0u; i < SHARE; i++) {
      let depth = k + lane / 4u + 16u * i;
      let at = min(depth, params.k - 1u);
      fromA[i] = select(vec4f(), a[at * (params.aStride / 4u) + ownRow], depth < params.k);
      fromB[i] = select(vec4f(), b[at * (params.bStride / 4u) + ownColumn], depth < params.k);
    }
    for (var i = 0u; i < SHARE; i++) {
      let place = 2u * (lane + 64u * i);
      aTile[place] = fromA[i].xy;
      aTile[place + 1u] = fromA[i].zw;
      bTile[place] = fromB[i].xy;
      bTile[place + 1u] = fromB[i].zw;
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let rows = aTile[d * 8u + local.y];
      let columns = bTile[d * 8u + local.x];
      s = fma(vec2f(rows.x), columns, s);
      t = fma(vec2f(rows.y), columns, t);
    }
    workgroupBarrier();
  }
  store(row + 2u * local.y, column + 2u * local.x, s);
  store(row + 2u * local.y + 1u, column + 2u * local.x, t);
}
