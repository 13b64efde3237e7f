// gather_rows_forward — rows of a table by id: the embedding of tokens, or a choice of rows.
//
//   y[n,:] = table[ids[n],:]     0 where ids[n] is NONE
//
// shapes  table [·,C] f32, ids [rows] u32 → y [rows,C]
// grid    one invocation per 4 channels, WORKGROUP a group, folded over x and y
// writes  y =
// oracle  gather.oracle.ts

struct Params { rows: u32, channels: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<vec4f>;
@group(0) @binding(2) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

override WORKGROUP: u32 = 64;
const NONE = 0xffffffffu;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  let width = params.channels / 4u;
  let n = index / width;
  if (n >= params.rows) { return; }
  let id = ids[n];
  if (id == NONE) { y[index] = vec4f(); }
  else { y[index] = table[id * width + index % width]; }
}
