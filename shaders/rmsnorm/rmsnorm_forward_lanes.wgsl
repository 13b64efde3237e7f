// rmsnorm_forward_lanes — rmsnorm_forward for graphics cards: LANES invocations read and write a row.
//
//   inverseRms[n] = ((1/C) · Σ_c x[n,c]² + ε)^−½
//   y[n,c]        = x[n,c] · inverseRms[n] · weight[c]
//
// shapes  x [N,C], weight [C] → y [N,C], inverseRms [N];  C a multiple of 4
// grid    LANES invocations per row, ROWS rows a group, folded over x and y
// writes  y = , inverseRms =
// oracle  rmsnorm.oracle.ts
//
// Every lane adds the whole row, out of workgroup memory and in ascending c: bit for bit rmsnorm_forward, and no sum to share.

struct Params { rows: u32, channels: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> inverseRms: array<f32>;

override LANES: u32 = 32;
override ROWS: u32 = 2;
const SPAN = 128u; // vectors of a row that workgroup memory holds at a time

var<workgroup> span: array<vec4f, SPAN * ROWS>;

@compute @workgroup_size(LANES, ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (group.x + group.y * groupCount.x) * ROWS + local.y;
  let vectors = params.channels / 4u;
  let start = min(row, params.rows - 1u) * vectors;

  var squares = vec4f();
  for (var first = 0u; first < vectors; first += SPAN) {
    let count = min(SPAN, vectors - first);
    for (var c = local.x; c < count; c += LANES) { span[local.y * SPAN + c] = x[start + first + c]; }
    workgroupBarrier();
    // Four loads at a time: none waits for the sum.
    let whole = count / 4u * 4u;
    for (var c = local.y * SPAN; c < local.y * SPAN + whole; c += 4u) {
      let x0 = span[c];
      let x1 = span[c + 1u];
      let x2 = span[c + 2u];
      let x3 = span[c + 3u];
      squares = fma(x3, x3, fma(x2, x2, fma(x1, x1, fma(x0, x0, squares))));
    }
    for (var c = whole; c < count; c++) { squares = fma(span[local.y * SPAN + c], span[local.y * SPAN + c], squares); }
    workgroupBarrier();
  }
  if (row >= params.rows) { return; }
  let r = inverseSqrt(dot(squares, vec4f(1.0)) / f32(params.channels) + params.epsilon);
  for (var c = local.x; c < vectors; c += LANES) { y[start + c] = x[start + c] * r * weight[c]; }
  if (local.x == 0u) { inverseRms[row] = r; }
}
