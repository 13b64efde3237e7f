// row_loss — losses of whole rows against the reference policy: regression and preference.
//
//   i = row[s],  Δ_i = logRatio[i], summed over the row's tokens
//   regression  e = β·Δ_i − rowTarget[i];  tokenLoss[s] = e²;  dlogProb[s] = weight[i]·2β·e
//   preference  partner[i] = j ≥ 0: row i is better than row j, m = β(Δ_i − Δ_j)
//               partner[i] = −1−j: it is worse,                 m = β(Δ_j − Δ_i);  j = i: both results are 0
//               tokenLoss[s] = −ln σ(m);  dlogProb[s] = ∓weight[i]·β·σ(−m), − for the better row
//
// Where tokenLoss is not finite, dlogProb is NaN: the norm is then too, and no step is taken.
//
// shapes  row [S] u32, logRatio, rowTarget, weight [B] f32, partner [B] i32 → tokenLoss, dlogProb [S]
//         weight: Σ of the row's token weights; of both rows under preference. rowTarget is read by regression only,
//         partner by preference only
// grid    one invocation per scored token, WORKGROUP a group, folded over x and y
// writes  tokenLoss = , dlogProb =
// oracle  src/algo/loss/row_losses.ts

struct Params { scored: u32, isPreference: u32, beta: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row: array<u32>;
@group(0) @binding(2) var<storage, read> logRatio: array<f32>;
@group(0) @binding(3) var<storage, read> rowTarget: array<f32>;
@group(0) @binding(4) var<storage, read> partner: array<i32>;
@group(0) @binding(5) var<storage, read> weight: array<f32>;
@group(0) @binding(6) var<storage, read_write> tokenLoss: array<f32>;
@group(0) @binding(7) var<storage, read_write> dlogProb: array<f32>;

override WORKGROUP: u32 = 64;
const MARGIN_LIMIT = 80.0; // keeps e^−|m| a normal number

// #use nan

// (loss, gradient by Δ_i): a loss that is not finite takes its gradient with it.
fn termOf(loss: f32, gradient: f32) -> vec2f {
  let lost = bitcast<f32>(bitcast<u32>(loss) | 0x7fc00000u); // NaN where the loss is not finite
  return vec2f(loss, select(lost, gradient, isFinite(loss)));
}

fn regression(i: u32) -> vec2f {
  let residual = params.beta * logRatio[i] - rowTarget[i];
  return termOf(residual * residual, 2.0 * params.beta * residual);
}

fn preference(i: u32) -> vec2f {
  let p = partner[i];
  let other = u32(select(-1 - p, p, p >= 0));
  if (other == i) { return vec2f(); }
  let side = select(-1.0, 1.0, p >= 0);
  let margin = params.beta * side * (logRatio[i] - logRatio[other]);
  let tail = exp(-min(abs(margin), MARGIN_LIMIT));
  let wrong = select(1.0, tail, margin >= 0.0) / (1.0 + tail);
  let loss = select(max(-margin, 0.0) + log(1.0 + tail), margin, isNaN(margin)); // min, max and e^x may drop a NaN
  return termOf(loss, -side * params.beta * wrong);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let s = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  if (s >= params.scored) { return; }
  let i = row[s];
  var term = vec2f();
  if (params.isPreference != 0u) { term = preference(i); } else { term = regression(i); }
  tokenLoss[s] = term.x;
  dlogProb[s] = weight[i] * term.y;
}
