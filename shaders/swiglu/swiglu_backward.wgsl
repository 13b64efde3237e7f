// swiglu_backward — gradient of swiglu_forward.
//
//   σ = sigmoid(gate)
//   dgate[n,f] = dh[n,f] · up · σ · (1 + gate · (1 − σ))
//   dup[n,f]   = dh[n,f] · gate · σ
//
// shapes  gateUp [N,2F], dh [N,F] → dgateUp [N,2F] (dgate, then dup);  F a multiple of 4
// grid    one invocation per four elements of dh
// writes  dgateUp =
// oracle  swiglu.oracle.ts

struct Params { rows: u32, hidden: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gateUp: array<vec4f>;
@group(0) @binding(2) var<storage, read> dh: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dgateUp: array<vec4f>;

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
  let up = gateUp[at + vectors];
  let open = sigmoid(gate);
  let closed = sigmoid(-gate); // 1 − σ without cancellation
  dgateUp[at] = dh[unit] * up * open * (1.0 + gate * closed);
  dgateUp[at + vectors] = dh[unit] * gate * open;
}
