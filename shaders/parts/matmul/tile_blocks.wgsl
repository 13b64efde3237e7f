// #use matmul/store.wgsl

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
