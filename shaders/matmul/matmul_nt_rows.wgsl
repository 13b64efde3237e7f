// matmul_nt_rows — matmul_nt for graphics cards where c is small, as in a decode step: a lane per element of c.
//
//   c[i,j] = scale·Σ_k a[i,k]·b[j,k] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [m,k] f32, b [n,k] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one group of 8 × 8 lanes per 8 × 8 tile of c; x over columns, y over rows
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// oracle  matmul.oracle.ts
//
// Each element adds its terms in ascending k, one by one: bit for bit matmul_nt. A chain of 512 is a microsecond; what takes
// time is to wait for memory, so that 128 k of all rows are asked for at once.

struct Params { m: u32, n: u32, k: u32, aStride: u32, bStride: u32, cStride: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

const ACCUMULATE: u32 = 0u;
const RAGGED: u32 = 1u; // nothing to it: columns are stored one by one

// #use matmul/row_tiles

var<workgroup> aTile: array<vec4f, 8u * STEP>;
var<workgroup> bTile: array<vec4f, 8u * STEP>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.y * 8u + local.x;
  let column = group.x * 8u + local.y;
  var sum = 0.0;
  for (var k = 0u; k < params.k; k += DEPTH) {
    var fromA: array<vec4f, SHARE>;
    var fromB: array<vec4f, SHARE>;
    for (var i = 0u; i < SHARE; i++) {
      let depth = k + 4u * placeIn(lane, i).y;
      let inside = vec4u(depth) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.k);
      let ownRow = min(group.y * 8u + placeIn(lane, i).x, params.m - 1u);
      let ownColumn = min(group.x * 8u + placeIn(lane, i).x, params.n - 1u);
      fromA[i] = select(vec4f(), a[(ownRow * params.aStride + depth) / 4u], inside);
      fromB[i] = select(vec4f(), b[(ownColumn * params.bStride + depth) / 4u], inside);
    }
    for (var i = 0u; i < SHARE; i++) {
      let place = placeIn(lane, i);
      aTile[place.x * STEP + place.y] = fromA[i];
      bTile[place.x * STEP + place.y] = fromB[i];
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH / 4u; d++) { sum = addFour(sum, aTile[local.x * STEP + d], bTile[local.y * STEP + d]); }
    workgroupBarrier();
  }
  if (row >= params.m || column >= params.n) { return; }
  let at = row * params.cStride + column;
  var value = params.scale * sum;
  if (ACCUMULATE != 0u) { value += c[at]; }
  c[at] = value;
}
