// segment_log_ratio — log-ratio of each segment of scored tokens: a token, a turn or a row.
//
//   logRatio[first + k] = c_k · Σ_{s in T_k} (logProb[s] − otherLogProb[s])     nats; 0 for an empty segment
//   T_k = start[k] … start[k+1]−1,   c_k = isMean ? 1/|T_k| : 1
//
// shapes  start [K+1] u32, logProb, otherLogProb [S] f32 → logRatio [first + K]
// grid    one invocation per segment, WORKGROUP a group, folded over x and y
// writes  logRatio[first …] =
// oracle  src/algo/loss/loss.ts, meanLogRatios and summedLogRatios

struct Params { segments: u32, first: u32, isMean: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> start: array<u32>;
@group(0) @binding(2) var<storage, read> logProb: array<f32>;
@group(0) @binding(3) var<storage, read> otherLogProb: array<f32>;
@group(0) @binding(4) var<storage, read_write> logRatio: array<f32>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let segment = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  if (segment >= params.segments) { return; }
  let begin = start[segment];
  let end = start[segment + 1u];
  var sum = 0.0;
  for (var s = begin; s < end; s++) { sum += logProb[s] - otherLogProb[s]; }
  let count = select(1u, max(1u, end - begin), params.isMean != 0u);
  logRatio[params.first + segment] = sum / f32(count);
}
