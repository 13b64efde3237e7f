// atpo_loss — turn-level clipped loss of each scored token, and the gradient by its log-probability.
//
//   ρ = turnLogRatio[turnIndex[s]],  ratio = e^min(ρ, logRatioCap),  A = advantage[s]
//   tokenLoss[s] = max(−A·ratio, −A·clamp(ratio, 1 − clipLow, 1 + clipHigh))         before weighting, no KL
//   dlogProb[s]  = weight[s]·(g ? −A·ratio : 0) + klCoefficient·tokenMeanWeight·dk3
//   g            = not (A > 0 and ratio > 1 + clipHigh)
//              and not (A < 0 and ratio < 1 − clipLow)
//              and not ρ > logRatioCap                    (at exactly the cap the gradient flows)
//   x = refLogProb[s] − logProb[s],  k3 = e^x − x − 1,  dk3 = k3 ≤ 10 ? 1 − e^x : 0
//
// The ratio is π/sg[π]·sg[e^ρ]: only the token's own factor carries gradient, so ∂ratio/∂logProb[s] = ratio.
//
// shapes  turnIndex [S] u32, turnLogRatio [K] f32, logProb, refLogProb, advantage, weight [S] → tokenLoss, dlogProb [S]
// grid    one invocation per scored token, WORKGROUP a group, folded over x and y
// writes  tokenLoss = , dlogProb = ; logProb and refLogProb are read only when klCoefficient ≠ 0
// oracle  src/algo/loss.ts

struct Params {
  scored: u32,
  clipLow: f32,
  clipHigh: f32,
  logRatioCap: f32,
  klCoefficient: f32,
  tokenMeanWeight: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> turnIndex: array<u32>;
@group(0) @binding(2) var<storage, read> turnLogRatio: array<f32>;
@group(0) @binding(3) var<storage, read> logProb: array<f32>;
@group(0) @binding(4) var<storage, read> refLogProb: array<f32>;
@group(0) @binding(5) var<storage, read> advantage: array<f32>;
@group(0) @binding(6) var<storage, read> weight: array<f32>;
@group(0) @binding(7) var<storage, read_write> tokenLoss: array<f32>;
@group(0) @binding(8) var<storage, read_write> dlogProb: array<f32>;

override WORKGROUP: u32 = 64;
const K3_LIMIT = 10.0; // nats; the released code clamps k3 there
const X_LIMIT = 60.0; // keeps e^x finite; k3 is far over its limit by then

// e^x − 1 without cancellation near 0 (relative error below 1e-7 for |x| < 0.25).
fn expm1(x: f32) -> f32 {
  let series = x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0)))));
  return select(exp(x) - 1.0, series, abs(x) < 0.25);
}

fn klGradient(s: u32) -> f32 {
  let x = min(refLogProb[s] - logProb[s], X_LIMIT);
  let slope = expm1(x);
  return select(0.0, -slope, slope - x <= K3_LIMIT);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let s = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  if (s >= params.scored) { return; }
  let logRatio = turnLogRatio[turnIndex[s]];
  let A = advantage[s];
  let low = 1.0 - params.clipLow;
  let high = 1.0 + params.clipHigh;
  let ratio = exp(min(logRatio, params.logRatioCap));
  tokenLoss[s] = max(-A * ratio, -A * clamp(ratio, low, high));
  let clipped = (A > 0.0 && ratio > high) || (A < 0.0 && ratio < low) || logRatio > params.logRatioCap;
  var gradient = weight[s] * select(-A * ratio, 0.0, clipped);
  if (params.klCoefficient != 0.0) { gradient += params.klCoefficient * params.tokenMeanWeight * klGradient(s); }
  dlogProb[s] = gradient;
}
