// token_stats_forward — log-probability of the chosen token and entropy of each row, one pass over the logits.
//
//   z[s,v]     = inverseTemperature · logits[s,v]
//   m          = max_v z[s,v],  d[v] = z[s,v] − m,  Z = Σ_v e^d[v],  W = Σ_v e^d[v]·d[v]
//   lse[s]     = m + ln Z                                 nats
//   logProb[s] = z[s, chosen[s]] − m − ln Z               nats
//   entropy[s] = ln Z − W / Z                             nats, whole distribution; both terms ≥ 0
//
// m is not known beforehand: when it rises by δ, W ← e^−δ·(W − δ·Z) and Z ← e^−δ·Z.
//
// A row with a NaN or +∞ gives NaN three times: Z is then not finite, which e^x and ln may make a number of.
//
// shapes  logits [S,stride] f32 (V ≤ stride), chosen [S] u32 → lse [S], logProb [S], entropy [S]
// grid    LANES invocations per row stride over it, ROWS rows a group, folded over x and y
// writes  lse = , logProb = , entropy =
// oracle  token_stats.oracle.ts

struct Params { rows: u32, vocab: u32, stride: u32, inverseTemperature: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read> chosen: array<u32>;
@group(0) @binding(3) var<storage, read_write> lse: array<f32>;
@group(0) @binding(4) var<storage, read_write> logProb: array<f32>;
@group(0) @binding(5) var<storage, read_write> entropy: array<f32>;

override LANES: u32 = 1; // a power of two
override ROWS: u32 = 64;
const LOWEST = -3e38; // finite, and e^(LOWEST − m) = 0
const EXPONENT = 0x7f800000u; // all ones in a NaN or an infinity

alias Part = vec3f; // (m, Z, W) of part of a row

fn merge(a: vec3f, b: vec3f) -> vec3f {
  let m = max(a.x, b.x);
  let rise = vec2f(a.x, b.x) - m;
  let scale = exp(rise);
  return vec3f(m, dot(scale, vec2f(a.y, b.y)), dot(scale, vec2f(a.z, b.z) + rise * vec2f(a.y, b.y)));
}

// Padding may hold anything: a select keeps even NaN out.
fn scaled(row: u32, block: u32) -> vec4f {
  let valid = vec4u(4u * block) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.vocab);
  return select(vec4f(LOWEST), params.inverseTemperature * logits[row * (params.stride / 4u) + block], valid);
}

fn laneStats(row: u32, lane: u32) -> vec3f {
  var stats = vec3f(LOWEST, 0.0, 0.0);
  let blocks = (params.vocab + 3u) / 4u;
  for (var block = lane; block < blocks; block += LANES) {
    let z = scaled(row, block);
    let m = max(max(z.x, z.y), max(z.z, z.w));
    let d = z - m;
    let e = exp(d);
    stats = merge(stats, vec3f(m, dot(e, vec4f(1.0)), dot(e, d)));
  }
  return stats;
}

// #use merge_lanes

@compute @workgroup_size(LANES, ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (group.x + group.y * groupCount.x) * ROWS + local.y;
  var stats = vec3f(LOWEST, 0.0, 0.0);
  if (row < params.rows) { stats = laneStats(row, local.x); }
  if (LANES > 1u) { stats = mergeLanes(stats, local.y * LANES + local.x, local.x); }
  if (row >= params.rows || local.x > 0u) { return; }
  let sum = bitcast<u32>(stats.y); // bits: compilers may assume that NaN never happens
  let isFinite = (sum & EXPONENT) != EXPONENT;
  let logZ = select(bitcast<f32>(sum | 0x7fc00000u), log(stats.y), isFinite);
  let z = params.inverseTemperature * logits[row * (params.stride / 4u) + chosen[row] / 4u][chosen[row] % 4u];
  lse[row] = stats.x + logZ;
  logProb[row] = z - stats.x - logZ;
  entropy[row] = logZ - stats.z / stats.y;
}
