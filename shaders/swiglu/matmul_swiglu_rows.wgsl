// matmul_swiglu_rows — matmul_swiglu for graphics cards: a lane per element of h.
//
//   gate[i,f] = Σ_k x[i,k]·weight[f,k],   up[i,f] = Σ_k x[i,k]·weight[F+f,k]
//   h[i,f]    = gate · sigmoid(gate) · up
//
// shapes  x [rows,K], weight [2F,K] (gate rows, then up rows) → h [rows,F];  K and F multiples of 4
// grid    one group of 8 × 8 lanes per 8 × 8 tile of h; x over columns, y over rows
// writes  h =
// oracle  swiglu.oracle.ts
//
// The loop of matmul_nt_rows with two sums. Bit for bit matmul_swiglu.

struct Params { rows: u32, hidden: u32, inputs: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> h: array<f32>;

// #use matmul/row_tiles

// #use sigmoid

var<workgroup> xTile: array<vec4f, 8u * STEP>;
var<workgroup> gateTile: array<vec4f, 8u * STEP>;
var<workgroup> upTile: array<vec4f, 8u * STEP>;

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let vectors = params.inputs / 4u;
  var gate = 0.0;
  var up = 0.0;
  for (var first = 0u; first < vectors; first += DEPTH / 4u) {
    var fromX: array<vec4f, SHARE>;
    var fromGate: array<vec4f, SHARE>;
    var fromUp: array<vec4f, SHARE>;
    for (var i = 0u; i < SHARE; i++) {
      let place = placeIn(lane, i);
      let at = min(first + place.y, vectors - 1u);
      let inside = first + place.y < vectors;
      let row = min(group.y * 8u + place.x, params.rows - 1u);
      let column = min(group.x * 8u + place.x, params.hidden - 1u);
      fromX[i] = select(vec4f(), x[row * vectors + at], inside);
      fromGate[i] = select(vec4f(), weight[column * vectors + at], inside);
      fromUp[i] = select(vec4f(), weight[(params.hidden + column) * vectors + at], inside);
    }
    for (var i = 0u; i < SHARE; i++) {
      let place = placeIn(lane, i);
      xTile[place.x * STEP + place.y] = fromX[i];
      gateTile[place.x * STEP + place.y] = fromGate[i];
      upTile[place.x * STEP + place.y] = fromUp[i];
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH / 4u; d++) {
      let own = xTile[local.x * STEP + d];
      gate = addFour(gate, own, gateTile[local.y * STEP + d]);
      up = addFour(up, own, upTile[local.y * STEP + d]);
    }
    workgroupBarrier();
  }
  let row = group.y * 8u + local.x;
  let column = group.x * 8u + local.y;
  if (row >= params.rows || column >= params.hidden) { return; }
  h[row * params.hidden + column] = gate * sigmoid(vec4f(gate)).x * up;
}
