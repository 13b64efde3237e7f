// policy_loss — clipped or gated loss of each scored token, and the gradient by its log-probability.
//
//   ρ = logRatio[segment[s]],  (A, w, c, f) = tokens[s],  r = f·e^ρ' with ρ' = ρ cut at logRatioCap (capBelow: at both ends)
//   low = 1 − c·clipLow,  high = 1 + c·clipHigh
//   clip  tokenLoss[s] = max(−A·r, −A·clamp(r, low, high)),  for A < 0 and dualClip > 0 at most −A·dualClip
//         dlogProb[s]  = −w·A·flow,  flow = the first that holds of
//           A > 0, r > high, upper edge hard: 0       A < 0, r < low, lower edge hard: 0
//           A < 0, dualClip > 0, r > dualClip: 0      ρ cut (at exactly the cap the gradient flows): 0
//           A > 0, r > high: upperFactor·high         A < 0, r < low: lowerFactor·low        else: r
//   gate  tokenLoss[s] = −A·(4/τ)·σ(τ(r − 1)),  τ = A > 0 ? gatePositive : gateNegative
//         dlogProb[s]  = −w·4A·σ(1 − σ)·r,  0 where ρ is cut
//   none  both 0
//
// NaN in ρ, A, c or f gives NaN, though min, max, clamp and e^x of WGSL may make a number of it. Where tokenLoss is not
// finite, dlogProb is NaN: the norm is then too, and no step is taken.
//
// The ratio is π/sg[π]·sg[e^ρ]: only the token's own factor carries gradient, so ∂r/∂logProb[s] = r.
//
// shapes  segment [S] u32, logRatio [K'] f32, tokens [S,4] (advantage, weight, clip scale, ratio factor) → tokenLoss,
//         dlogProb [S]; tokenLoss is before weighting, neither holds the KL term
// grid    one invocation per scored token, WORKGROUP a group, folded over x and y
// writes  tokenLoss = , dlogProb =
// oracle  src/algo/loss/loss_terms.ts

struct Params {
  scored: u32,
  surrogate: u32, // SURROGATE_…
  clipLow: f32,
  clipHigh: f32,
  isLowerSoft: u32,
  isUpperSoft: u32,
  lowerFactor: f32,
  upperFactor: f32,
  dualClip: f32,
  logRatioCap: f32,
  capBelow: u32,
  gatePositive: f32,
  gateNegative: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> segment: array<u32>;
@group(0) @binding(2) var<storage, read> logRatio: array<f32>;
@group(0) @binding(3) var<storage, read> tokens: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> tokenLoss: array<f32>;
@group(0) @binding(5) var<storage, read_write> dlogProb: array<f32>;

override WORKGROUP: u32 = 64;
const SURROGATE_CLIP = 1u;
const SURROGATE_GATE = 2u;
const X_LIMIT = 80.0; // keeps e^−x a normal number; σ(1 − σ) is 0 for f32 by then

struct Term { loss: f32, gradient: f32 }

// #use nan

// min and max that hand a NaN on.
fn least(a: f32, b: f32) -> f32 { return select(select(min(a, b), b, isNaN(b)), a, isNaN(a)); }
fn most(a: f32, b: f32) -> f32 { return select(select(max(a, b), b, isNaN(b)), a, isNaN(a)); }

// A loss that is not finite takes its gradient with it.
fn termOf(loss: f32, gradient: f32) -> Term {
  let lost = bitcast<f32>(bitcast<u32>(loss) | 0x7fc00000u); // NaN where the loss is not finite
  return Term(loss, select(lost, gradient, isFinite(loss)));
}

fn clipTerm(ratio: f32, isCut: bool, A: f32, scale: f32) -> Term {
  let low = 1.0 - params.clipLow * scale;
  let high = 1.0 + params.clipHigh * scale;
  var loss = most(-A * ratio, -A * least(most(ratio, low), high));
  let isAbove = A > 0.0 && ratio > high;
  let isBelow = A < 0.0 && ratio < low;
  let hasDual = A < 0.0 && params.dualClip > 0.0;
  if (hasDual) { loss = least(loss, -A * params.dualClip); }
  let isHard = (isAbove && params.isUpperSoft == 0u) || (isBelow && params.isLowerSoft == 0u);
  if (isHard || isCut || (hasDual && ratio > params.dualClip)) { return termOf(loss, 0.0); }
  let inBand = select(ratio, params.lowerFactor * low, isBelow);
  return termOf(loss, -A * select(inBand, params.upperFactor * high, isAbove));
}

fn gateTerm(ratio: f32, isCut: bool, A: f32) -> Term {
  let tau = select(params.gateNegative, params.gatePositive, A > 0.0);
  let x = tau * (ratio - 1.0);
  let tail = exp(-min(abs(x), X_LIMIT));
  let gate = select(tail, 1.0, x >= 0.0) / (1.0 + tail);
  let slope = tail / ((1.0 + tail) * (1.0 + tail));
  let loss = select(-A * 4.0 * gate / tau, x, isNaN(x));
  return termOf(loss, select(-4.0 * A * slope * ratio, 0.0, isCut));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let s = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  if (s >= params.scored) { return; }
  let mean = logRatio[segment[s]];
  let cap = params.logRatioCap;
  let isBelow = params.capBelow != 0u && mean < -cap;
  let token = tokens[s];
  let cut = token.w * exp(select(min(mean, cap), -cap, isBelow));
  let ratio = select(cut, mean, isNaN(mean));
  let isCut = isBelow || mean > cap;
  var term = Term(0.0, 0.0);
  if (params.surrogate == SURROGATE_CLIP) { term = clipTerm(ratio, isCut, token.x, token.z); }
  if (params.surrogate == SURROGATE_GATE) { term = gateTerm(ratio, isCut, token.x); }
  tokenLoss[s] = term.loss;
  dlogProb[s] = token.y * term.gradient;
}
