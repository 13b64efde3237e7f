// token_stats_backward — gradient of log-probability and entropy by the logits.
//
//   z[s,v] = inverseTemperature · logits[s,v],  p[s,v] = e^(z[s,v] − lse[s])
//   dlogits[s,v] = inverseTemperature · ( dlogProb[s]·(1[v = chosen[s]] − p[s,v])
//                                       + dentropy[s]·p[s,v]·(lse[s] − z[s,v] − entropy[s]) )
//
// shapes  logits [S,stride] f32 (V ≤ stride), chosen [S] u32, lse, entropy, dlogProb, dentropy [S] → dlogits [S,stride]
// grid    LANES invocations per row stride over it, ROWS rows a group, folded over x and y
// writes  dlogits = , padding columns 0
// oracle  token_stats.oracle.ts

struct Params { rows: u32, vocab: u32, stride: u32, inverseTemperature: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read> chosen: array<u32>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> entropy: array<f32>;
@group(0) @binding(5) var<storage, read> dlogProb: array<f32>;
@group(0) @binding(6) var<storage, read> dentropy: array<f32>;
@group(0) @binding(7) var<storage, read_write> dlogits: array<vec4f>;

override LANES: u32 = 1;
override ROWS: u32 = 64;

@compute @workgroup_size(LANES, ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (group.x + group.y * groupCount.x) * ROWS + local.y;
  if (row >= params.rows) { return; }
  let width = params.stride / 4u;
  let hit = vec4u(chosen[row]);
  let logZ = lse[row];
  let h = entropy[row];
  let d = dlogProb[row];
  let dh = dentropy[row];
  for (var block = local.x; block < width; block += LANES) {
    let v = vec4u(4u * block) + vec4u(0u, 1u, 2u, 3u);
    let surprisal = logZ - params.inverseTemperature * logits[row * width + block];
    let p = exp(-surprisal);
    let one = select(vec4f(), vec4f(1.0), v == hit);
    let gradient = d * (one - p) + dh * p * (surprisal - h);
    // Padding may hold anything: a select keeps even NaN out.
    dlogits[row * width + block] = select(vec4f(), params.inverseTemperature * gradient, v < vec4u(params.vocab));
  }
}
