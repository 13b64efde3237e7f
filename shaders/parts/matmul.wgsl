// What the products share: the store of a row's columns; then the plain kernels' tiles, the quads, the kernels made for
// graphics cards.

// #part matmul/store
// Constants, since software adapters run both sides of a branch.
const ACCUMULATE: u32 = 0u;
const RAGGED: u32 = 1u; // 0 promises that n is a multiple of 4

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

// #part matmul/tile_rows
  // Where the tile's rows of a start; past the edge the last one again.
  let r0 = min(row + 0u, params.m - 1u) * params.aStride;
  let r1 = min(row + 1u, params.m - 1u) * params.aStride;
  let r2 = min(row + 2u, params.m - 1u) * params.aStride;
  let r3 = min(row + 3u, params.m - 1u) * params.aStride;
  let r4 = min(row + 4u, params.m - 1u) * params.aStride;
  let r5 = min(row + 5u, params.m - 1u) * params.aStride;
  let r6 = min(row + 6u, params.m - 1u) * params.aStride;
  let r7 = min(row + 7u, params.m - 1u) * params.aStride;

// #part matmul/tile_sums
  var p0 = vec4f(); var q0 = vec4f();
  var p1 = vec4f(); var q1 = vec4f();
  var p2 = vec4f(); var q2 = vec4f();
  var p3 = vec4f(); var q3 = vec4f();
  var p4 = vec4f(); var q4 = vec4f();
  var p5 = vec4f(); var q5 = vec4f();
  var p6 = vec4f(); var q6 = vec4f();
  var p7 = vec4f(); var q7 = vec4f();

// #part matmul/tile_add
    // One k of the tile's rows: u and v are its eight columns of b.
    let a0 = vec4f(a[r0 + k]); p0 = fma(a0, u, p0); q0 = fma(a0, v, q0);
    let a1 = vec4f(a[r1 + k]); p1 = fma(a1, u, p1); q1 = fma(a1, v, q1);
    let a2 = vec4f(a[r2 + k]); p2 = fma(a2, u, p2); q2 = fma(a2, v, q2);
    let a3 = vec4f(a[r3 + k]); p3 = fma(a3, u, p3); q3 = fma(a3, v, q3);
    let a4 = vec4f(a[r4 + k]); p4 = fma(a4, u, p4); q4 = fma(a4, v, q4);
    let a5 = vec4f(a[r5 + k]); p5 = fma(a5, u, p5); q5 = fma(a5, v, q5);
    let a6 = vec4f(a[r6 + k]); p6 = fma(a6, u, p6); q6 = fma(a6, v, q6);
    let a7 = vec4f(a[r7 + k]); p7 = fma(a7, u, p7); q7 = fma(a7, v, q7);

// #part matmul/tile_store
  store(row + 0u, column, p0); store(row + 0u, column + 4u, q0);
  store(row + 1u, column, p1); store(row + 1u, column + 4u, q1);
  store(row + 2u, column, p2); store(row + 2u, column + 4u, q2);
  store(row + 3u, column, p3); store(row + 3u, column + 4u, q3);
  store(row + 4u, column, p4); store(row + 4u, column + 4u, q4);
  store(row + 5u, column, p5); store(row + 5u, column + 4u, q5);
  store(row + 6u, column, p6); store(row + 6u, column + 4u, q6);
  store(row + 7u, column, p7); store(row + 7u, column + 4u, q7);

// #part matmul/quad_tile
alias Tile = array<vec4f, 8>; // eight rows of four columns: the lane's own rows, then its neighbour's

// Adds one k of eight rows: `own` and `other` rows of the left matrix, four columns of the product.
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

// #part matmul/quad_rows
  // Lanes 0 1 / 2 3 of a quad lie as their tiles do. Of its eight rows a lane owns four, its neighbour to the side the others.
  let quad = (subgroup * subgroupSize + lane) / 4u;
  let right = lane % 2u;
  let lower = lane / 2u % 2u;
  let row = ((group.y * QUADS_Y + quad / QUADS_X) * 2u + lower) * 8u;
  let ownRow = row + 4u * right;
  let otherRow = row + 4u * (1u - right);

// #part matmul/quad_place
  // #use matmul/quad_rows
  let column = ((group.x * QUADS_X + quad % QUADS_X) * 2u + right) * 8u;
  let ownColumn = column + 4u * lower;
  let otherColumn = column + 4u * (1u - lower);
  var p: Tile; // own columns
  var q: Tile; // the other columns

// #part matmul/quad_store
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

// #part matmul/tile_blocks
// #use matmul/store

// A group's tile of c is SIDE × SIDE, a lane's share of it BLOCKS × BLOCKS blocks of 4 × 4.
const SIDE: u32 = 32u;
const DEPTH: u32 = 32u; // k that workgroup memory holds at a time
const BLOCKS: u32 = 1u; // 1 or 2
const LANES = SIDE / (4u * BLOCKS); // along each side
const VECTORS = SIDE / 4u;
const SHARE = DEPTH * VECTORS / (LANES * LANES); // vectors that a lane brings of each matrix

// Four rows of a, four columns of b a vector, VECTORS for each k.
var<workgroup> aTile: array<vec4f, DEPTH * VECTORS>;
var<workgroup> bTile: array<vec4f, DEPTH * VECTORS>;

alias Block = array<vec4f, 4>; // four rows of four columns

fn add(block: ptr<function, Block>, rows: vec4f, columns: vec4f) {
  (*block)[0] = fma(vec4f(rows.x), columns, (*block)[0]);
  (*block)[1] = fma(vec4f(rows.y), columns, (*block)[1]);
  (*block)[2] = fma(vec4f(rows.z), columns, (*block)[2]);
  (*block)[3] = fma(vec4f(rows.w), columns, (*block)[3]);
}

fn storeBlock(row: u32, column: u32, block: Block) {
  store(row + 0u, column, block[0]);
  store(row + 1u, column, block[1]);
  store(row + 2u, column, block[2]);
  store(row + 3u, column, block[3]);
}

// #part matmul/bring_a_rows
// A's rows lie along k: a lane takes four of them, four k long, and turns them over. What lies past k counts as 0.
fn bringA(first: u32, k: u32, lane: u32) {
  for (var block = lane; block < DEPTH * VECTORS / 4u; block += LANES * LANES) {
    let place = block % VECTORS;
    let depth = 4u * (block / VECTORS);
    let at = (k + depth) / 4u;
    let inside = vec4u(k + depth) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.k);
    let row = first + 4u * place;
    let last = params.m - 1u;
    let step = params.aStride / 4u;
    let v0 = select(vec4f(), a[min(row + 0u, last) * step + at], inside);
    let v1 = select(vec4f(), a[min(row + 1u, last) * step + at], inside);
    let v2 = select(vec4f(), a[min(row + 2u, last) * step + at], inside);
    let v3 = select(vec4f(), a[min(row + 3u, last) * step + at], inside);
    aTile[(depth + 0u) * VECTORS + place] = vec4f(v0.x, v1.x, v2.x, v3.x);
    aTile[(depth + 1u) * VECTORS + place] = vec4f(v0.y, v1.y, v2.y, v3.y);
    aTile[(depth + 2u) * VECTORS + place] = vec4f(v0.z, v1.z, v2.z, v3.z);
    aTile[(depth + 3u) * VECTORS + place] = vec4f(v0.w, v1.w, v2.w, v3.w);
  }
}

// #part matmul/bring_b_columns
// B's rows lie one k after the other: as they come. All are asked for before one is put down; what lies past k counts as 0.
fn bringB(first: u32, k: u32, lane: u32) {
  var brought: array<vec4f, SHARE>;
  for (var i = 0u; i < SHARE; i++) {
    let at = lane + i * LANES * LANES;
    let depth = k + at / VECTORS;
    let column = min(first / 4u + at % VECTORS, (params.n - 1u) / 4u);
    let vector = b[min(depth, params.k - 1u) * (params.bStride / 4u) + column];
    brought[i] = select(vec4f(), vector, depth < params.k);
  }
  for (var i = 0u; i < SHARE; i++) { bTile[lane + i * LANES * LANES] = brought[i]; }
}

// #part matmul/tile_product
  // Stage by stage of k; s and t are the lane's blocks of columns, upper and lower ones of rows.
  let row = group.y * SIDE;
  let column = group.x * SIDE;
  var s0: Block;
  var s1: Block;
  var t0: Block;
  var t1: Block;
  for (var k = 0u; k < params.k; k += DEPTH) {
    bringA(row, k, lane);
    bringB(column, k, lane);
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let rows = aTile[d * VECTORS + local.y];
      let columns = bTile[d * VECTORS + local.x];
      add(&s0, rows, columns);
      if (BLOCKS > 1u) {
        let lowerRows = aTile[d * VECTORS + LANES + local.y];
        let laterColumns = bTile[d * VECTORS + LANES + local.x];
        add(&s1, rows, laterColumns);
        add(&t0, lowerRows, columns);
        add(&t1, lowerRows, laterColumns);
      }
    }
    workgroupBarrier();
  }
  storeBlock(row + 4u * local.y, column + 4u * local.x, s0);
  if (BLOCKS > 1u) {
    storeBlock(row + 4u * local.y, column + 4u * (LANES + local.x), s1);
    storeBlock(row + 4u * (LANES + local.y), column + 4u * local.x, t0);
    storeBlock(row + 4u * (LANES + local.y), column + 4u * (LANES + local.x), t1);
  }

// #part matmul/row_tiles
const DEPTH = 128u; // k that workgroup memory holds at a time
const STEP = DEPTH / 4u + 1u; // vectors from row to row, so that rows do not meet in one bank
const SHARE = 8u * DEPTH / 4u / 64u; // vectors that a lane brings of eight rows

// The row of eight, and the vector along k, of the i-th vector that a lane brings.
fn placeIn(lane: u32, i: u32) -> vec2u {
  let at = lane + 64u * i;
  return vec2u(at / (DEPTH / 4u), at % (DEPTH / 4u));
}

// Four terms in ascending k, one by one.
fn addFour(sum: f32, x: vec4f, y: vec4f) -> f32 {
  return fma(x.w, y.w, fma(x.z, y.z, fma(x.y, y.y, fma(x.x, y.x, sum))));
}
