// matmul_swiglu_quads — matmul_swiglu where the device has subgroups: a quad shares what it loads.
//
//   gate[i,f] = Σ_k x[i,k]·weight[f,k],   up[i,f] = Σ_k x[i,k]·weight[F+f,k]
//   h[i,f]    = gate · sigmoid(gate) · up
//
// shapes  x [rows,K], weight [2F,K] (gate rows, then up rows) → h [rows,F];  K and F multiples of 4
// grid    one quad (four invocations of a subgroup) per 16 rows × 8 columns of h, QUADS_X × QUADS_Y a group
// writes  h =
// needs   the feature subgroups, the language feature subgroup_id
// oracle  swiglu.oracle.ts
//
// The quad of matmul_nt_quads: lanes 0 1 / 2 3 lie as their tiles do in h, and a lane loads half of its rows of x and half of
// its rows of weight. Upper lanes own the gates, lower lanes the ups; which is which is settled when storing.
// Bit for bit matmul_swiglu.

enable subgroups;

struct Params { rows: u32, hidden: u32, inputs: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> h: array<vec4f>;

override QUADS_X: u32 = 4;
override QUADS_Y: u32 = 1;

// #use matmul/quad_tile

// #use sigmoid

fn store(row: u32, column: u32, isLower: bool, own: vec4f, other: vec4f) {
  if (row >= params.rows || column >= params.hidden) { return; }
  let gate = select(own, other, isLower);
  let up = select(other, own, isLower);
  h[(row * params.hidden + column) / 4u] = gate * sigmoid(gate) * up;
}

@compute @workgroup_size(4u * QUADS_X * QUADS_Y)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroupSize: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  // #use matmul/quad_rows
  let column = ((group.x * QUADS_X + quad % QUADS_X) * 2u + right) * 4u;

  let vectors = params.inputs / 4u;
  let lastRow = params.rows - 1u;
  let lastColumn = params.hidden - 1u;
  let half = lower * params.hidden; // of the weight: gate rows, or up rows
  let r0 = min(ownRow + 0u, lastRow) * vectors;
  let r1 = min(ownRow + 1u, lastRow) * vectors;
  let r2 = min(ownRow + 2u, lastRow) * vectors;
  let r3 = min(ownRow + 3u, lastRow) * vectors;
  let s0 = (half + min(column + 0u, lastColumn)) * vectors;
  let s1 = (half + min(column + 1u, lastColumn)) * vectors;
  let s2 = (half + min(column + 2u, lastColumn)) * vectors;
  let s3 = (half + min(column + 3u, lastColumn)) * vectors;
  var p: Tile; // own half: gates in upper lanes, ups in lower ones
  var q: Tile; // the other half
  for (var k = 0u; k < vectors; k++) {
    let x0 = x[r0 + k];
    let x1 = x[r1 + k];
    let x2 = x[r2 + k];
    let x3 = x[r3 + k];
    let w0 = weight[s0 + k];
    let w1 = weight[s1 + k];
    let w2 = weight[s2 + k];
    let w3 = weight[s3 + k];
    // Swapped where they are used: see matmul_nt_quads.
    let ownX = vec4f(x0.x, x1.x, x2.x, x3.x);
    let otherX = quadSwapX(ownX);
    let columnsX = vec4f(w0.x, w1.x, w2.x, w3.x);
    add(&p, ownX, otherX, columnsX);
    add(&q, ownX, otherX, quadSwapY(columnsX));
    let ownY = vec4f(x0.y, x1.y, x2.y, x3.y);
    let otherY = quadSwapX(ownY);
    let columnsY = vec4f(w0.y, w1.y, w2.y, w3.y);
    add(&p, ownY, otherY, columnsY);
    add(&q, ownY, otherY, quadSwapY(columnsY));
    let ownZ = vec4f(x0.z, x1.z, x2.z, x3.z);
    let otherZ = quadSwapX(ownZ);
    let columnsZ = vec4f(w0.z, w1.z, w2.z, w3.z);
    add(&p, ownZ, otherZ, columnsZ);
    add(&q, ownZ, otherZ, quadSwapY(columnsZ));
    let ownW = vec4f(x0.w, x1.w, x2.w, x3.w);
    let otherW = quadSwapX(ownW);
    let columnsW = vec4f(w0.w, w1.w, w2.w, w3.w);
    add(&p, ownW, otherW, columnsW);
    add(&q, ownW, otherW, quadSwapY(columnsW));
  }
  let isLower = lower == 1u;
  store(ownRow + 0u, column, isLower, p[0], q[0]);
  store(otherRow + 0u, column, isLower, p[4], q[4]);
  store(ownRow + 1u, column, isLower, p[1], q[1]);
  store(otherRow + 1u, column, isLower, p[5], q[5]);
  store(ownRow + 2u, column, isLower, p[2], q[2]);
  store(otherRow + 2u, column, isLower, p[6], q[6]);
  store(ownRow + 3u, column, isLower, p[3], q[3]);
  store(otherRow + 3u, column, isLower, p[7], q[7]);
}
