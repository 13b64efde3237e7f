// gather_values_backward — gradient of the values: sums the gradients of every reader.
//
//   dvalues[u] = Σ_{o = offsets[u]}^{offsets[u+1]−1} dy[sources[o]]      0 where nobody reads
//
// The host sorts readers by value (offsets, sources), so that no atomics are needed and the order of addition,
// hence the result, is fixed.
//
// shapes  dy [·] f32, offsets [count+1] u32, sources [offsets[count]] u32 → dvalues [count]
// grid    one invocation per value, WORKGROUP a group, folded over x and y
// writes  dvalues =
// oracle  gather.oracle.ts

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> offsets: array<u32>;
@group(0) @binding(3) var<storage, read> sources: array<u32>;
@group(0) @binding(4) var<storage, read_write> dvalues: array<f32>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let u = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  if (u >= params.count) { return; }
  var sum = 0.0;
  let end = offsets[u + 1u];
  for (var o = offsets[u]; o < end; o++) { sum += dy[sources[o]]; }
  dvalues[u] = sum;
}
