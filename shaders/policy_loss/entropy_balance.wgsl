// entropy_balance — scales advantages by how unusual the token's entropy is (AEPO).
//
//   tokens[s].x ·= 1 + coefficient·(entropy[s] − μ)/σ,   (n, μ, M) = moments,  σ = √(M/(n − 1)), 1 where M = 0
//
// shapes  entropy [S] f32, moments [3] → tokens [S,4] (advantage, weight, clip scale, ratio factor)
// grid    one invocation per scored token, WORKGROUP a group, folded over x and y
// writes  tokens[s].x ·= ; the rest of tokens stays
// oracle  src/algo/loss/penalties.ts, balancedAdvantage

struct Params { scored: u32, coefficient: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> entropy: array<f32>;
@group(0) @binding(2) var<storage, read> moments: array<f32>;
@group(0) @binding(3) var<storage, read_write> tokens: array<vec4f>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let s = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  if (s >= params.scored) { return; }
  let deviation = sqrt(moments[2] / max(1.0, moments[0] - 1.0));
  let z = (entropy[s] - moments[1]) / select(deviation, 1.0, deviation == 0.0);
  tokens[s].x *= 1.0 + params.coefficient * z;
}
