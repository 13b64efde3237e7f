// gather_values_forward — one value per reader, by id: from the tokens of a tree to the rows that hold them.
//
//   y[s] = values[ids[s]]
//
// shapes  values [·] f32, ids [count] u32 → y [count]
// grid    one invocation per reader, WORKGROUP a group, folded over x and y
// writes  y =
// oracle  gather.oracle.ts

struct Params { count: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let s = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  if (s >= params.count) { return; }
  y[s] = values[ids[s]];
}
