// probe_copy — the bandwidth ceiling of a device: reads and writes and nothing else.
//
//   y[i] = x[i]
//
// shapes  x [length], y [length];  length a multiple of 4
// grid    one invocation per four elements
// writes  y =
// oracle  probe.oracle.ts
struct Params { length: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let i = id.x + id.y * groupCount.x * WORKGROUP;
  if (i >= params.length / 4u) { return; }
  y[i] = x[i];
}
