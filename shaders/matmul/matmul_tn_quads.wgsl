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
// Constants, since software adapters run both sides of a branch.
const ACCUMULATE: u32 = 0u;
const RAGGED: u32 = 1u; // 0 promises that n is a multiple of 4
alias Tile = array<vec4f, 8>; // eight rows of four columns: the lane's own rows, then its neighbour's

// Adds one k of eight rows: `own` and `other` rows of a, four columns of c.
fn add(tile: ptr<function, Tile>, own: vec4f, other: vec4f, columns: vec4f) {
  (*tile)[0] = fma(vec4f(own.x), columns, (*tile)[0]);
  (*tile)[1] = fma(vec4f(own.y), columns, (*tile)[1]);
  (*tile)[2] = fma(vec4f(own.z), columns, (*tile)[2]);
  (*tile)[3] = fma(vec4f(own.w), columns, (*tile)[3]);
  (*tile)[4] = fma(vec4f(other.x), columns, (*tile)[4]);
  (*tile)[5] = fma(vec4f(other.y), columns, (*tile)[5]);
  (*tile)[6] = fma(vec4f(other.z), columns, (*tile)[6]);
  (*tile)[7] = fma(vec4f(other.w), columns, (*tile)[7]);
}

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

@compute @workgroup_size(4u * QUADS_X * QUADS_Y)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroupSize: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let quad = (subgroup * subgroupSize + lane) / 4u;
  let right = lane % 2u;
  let lower = lane / 2u % 2u;
  let row = ((group.y * QUADS_Y + quad / QUADS_X) * 2u + lower) * 8u;
  let column = ((group.x * QUADS_X + quad % QUADS_X) * 2u + right) * 8u;
  let ownRow = row + 4u * right;
  let otherRow = row + 4u * (1u - right);
  let ownColumn = column + 4u * lower;
  let otherColumn = column + 4u * (1u - lower);

  let r = min(ownRow, params.m - 1u) / 4u;
  let s = min(ownColumn, params.n - 1u) / 4u;
  let aStep = params.aStride / 4u;
  let bStep = params.bStride / 4u;
  var p: Tile; // own columns
  var q: Tile; // the other columns
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
  store(ownRow + 0u, ownColumn, p[0]);
  store(ownRow + 0u, otherColumn, q[0]);
  store(otherRow + 0u, ownColumn, p[4]);
  store(otherRow + 0u, otherColumn, q[4]);
  store(ownRow + 1u, ownColumn, p[1]);
  store(ownRow + 1u, otherColumn, q[1]);
  store(otherRow + 1u, ownColumn, p[5]);
  store(otherRow + 1u, otherColumn, q[5]);
  store(ownRow + 2u, ownColumn, p[2]);
  store(ownRow + 2u, otherColumn, q[2]);
  store(otherRow + 2u, ownColumn, p[6]);
  store(otherRow + 2u, otherColumn, q[6]);
  store(ownRow + 3u, ownColumn, p[3]);
  store(ownRow + 3u, otherColumn, q[3]);
  store(otherRow + 3u, ownColumn, p[7]);
  store(otherRow + 3u, otherColumn, q[7]);
}
