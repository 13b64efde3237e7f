// turn_ratio — mean log-ratio of each turn.
//
//   turnLogRatio[k] = 1/|T_k| · Σ_{s in T_k} (logProb[s] − oldLogProb[s])     nats; 0 for an empty turn
//   T_k = turnStart[k] … turnStart[k+1]−1
//
// shapes  turnStart [K+1] u32, logProb, oldLogProb [S] f32 → turnLogRatio [K]
// grid    one invocation per turn, WORKGROUP a group, folded over x and y
// writes  turnLogRatio =
// oracle  src/algo/loss.ts, meanLogRatios

struct Params { turns: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> turnStart: array<u32>;
@group(0) @binding(2) var<storage, read> logProb: array<f32>;
@group(0) @binding(3) var<storage, read> oldLogProb: array<f32>;
@group(0) @binding(4) var<storage, read_write> turnLogRatio: array<f32>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let turn = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  if (turn >= params.turns) { return; }
  let start = turnStart[turn];
  let end = turnStart[turn + 1u];
  var sum = 0.0;
  for (var s = start; s < end; s++) { sum += logProb[s] - oldLogProb[s]; }
  turnLogRatio[turn] = sum / f32(max(1u, end - start));
}
