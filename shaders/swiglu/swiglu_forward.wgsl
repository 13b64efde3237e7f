// swiglu_forward — gated activation of the feed-forward layer.
//
//   h[n,f] = gate · sigmoid(gate) · up,   gate = gateUp[n,f],   up = gateUp[n,F+f]
//
// shapes  gateUp [N,2F] → h [N,F];  F a multiple of 4
// grid    one invocation per four elements of h
// writes  h =
// oracle  swiglu.oracle.ts

struct Params { rows: u32, hidden: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gateUp: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> h: array<vec4f>;

override WORKGROUP: u32 = 64;

// #use sigmoid

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let vectors = params.hidden / 4u;
  let n = unit / vectors;
  if (n >= params.rows) { return; }
  let at = n * 2u * vectors + unit % vectors;
  let gate = gateUp[at];
  h[unit] = gate * sigmoid(gate) * gateUp[at + vectors];
}
