// rmsnorm_backward_lanes — rmsnorm_backward for graphics cards: LANES invocations read and write a row.
//
//   g[n,c]   = dy[n,c] · weight[c],   r = inverseRms[n]
//   dx[n,c] += r · g[n,c] − x[n,c] · (r³/C) · Σ_c' g[n,c'] · x[n,c']
//
// shapes  x and dy [N,C], weight [C], inverseRms [N] → dx [N,C];  C a multiple of 4
// grid    LANES invocations per row, ROWS rows a group, folded over x and y
// writes  dx +=  (a residual join)
// oracle  rmsnorm.oracle.ts
//
// Every lane adds the whole row, out of workgroup memory and in ascending c: bit for bit rmsnorm_backward.

struct Params { rows: u32, channels: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read> inverseRms: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>;

override LANES: u32 = 32;
override ROWS: u32 = 2;
const SPAN = 128u; // vectors of a row that workgroup memory holds at a time

var<workgroup> gradients: array<vec4f, SPAN * ROWS>; // g
var<workgroup> inputs: array<vec4f, SPAN * ROWS>;

@compute @workgroup_size(LANES, ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (group.x + group.y * groupCount.x) * ROWS + local.y;
  let n = min(row, params.rows - 1u);
  let vectors = params.channels / 4u;
  let start = n * vectors;

  var products = vec4f();
  for (var first = 0u; first < vectors; first += SPAN) {
    let count = min(SPAN, vectors - first);
    for (var c = local.x; c < count; c += LANES) {
      gradients[local.y * SPAN + c] = dy[start + first + c] * weight[first + c];
      inputs[local.y * SPAN + c] = x[start + first + c];
    }
    workgroupBarrier();
    for (var c = 0u; c < count; c++) {
      products = fma(gradients[local.y * SPAN + c], inputs[local.y * SPAN + c], products);
    }
    workgroupBarrier();
  }
  if (row >= params.rows) { return; }
  let r = inverseRms[n];
  let along = r * r * r * dot(products, vec4f(1.0)) / f32(params.channels);
  for (var c = local.x; c < vectors; c += LANES) {
    dx[start + c] += r * (dy[start + c] * weight[c]) - along * x[start + c];
  }
}
