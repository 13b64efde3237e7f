// gather_rows_backward — gradient of the table: sums the gradients of every row that read it.
//
//   dtable[v,:] (+)= Σ_{o = offsets[v]}^{offsets[v+1]−1} dy[sources[o],:]
//
// The host sorts readers by table row (offsets, sources), so that no atomics are needed and the order of
// addition, hence the result, is fixed.
//
// shapes  dy [·,C] f32, offsets [rows+1] u32, sources [offsets[rows]] u32 → dtable [rows,C]
// grid    one invocation per 4 channels of a table row, WORKGROUP a group, folded over x and y
// writes  dtable = , or += when accumulate
// oracle  gather.oracle.ts

struct Params { rows: u32, channels: u32, accumulate: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> sources: array<u32>;
@group(0) @binding(4) var<storage, read_write> dtable: array<vec4f>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  let width = params.channels / 4u;
  let v = index / width;
  if (v >= params.rows) { return; }
  let c = index % width;
  var sum = vec4f();
  if (params.accumulate != 0u) { sum = dtable[index]; }
  let end = offsets[v + 1u];
  for (var o = offsets[v]; o < end; o++) { sum += dy[sources[o] * width + c]; }
  dtable[index] = sum;
}
