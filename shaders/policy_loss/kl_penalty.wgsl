// kl_penalty — gradient of the KL estimate against the reference policy, added to the loss's.
//
//   d = logProb[s] − refLogProb[s];  dlogProb[s] += coefficient·dkl
//   k1   kl = d,     dkl = 1                    abs  kl = |d|,  dkl = sign d
//   k2   kl = d²/2,  dkl = d                    k3   kl = e^−d + d − 1,  dkl = kl ≤ 10 ? 1 − e^−d : 0
//
// Where kl is not finite, dkl is NaN: the norm is then too, and no step is taken. k3 is cut before that, NaN is not.
//
// shapes  logProb, refLogProb [S] f32 → dlogProb [S];  coefficient: c_kl · weight of a token in a token mean
// grid    one invocation per scored token, WORKGROUP a group, folded over x and y
// writes  dlogProb +=
// oracle  src/algo/loss/penalties.ts

struct Params {
  scored: u32,
  kind: u32, // KIND_…
  coefficient: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logProb: array<f32>;
@group(0) @binding(2) var<storage, read> refLogProb: array<f32>;
@group(0) @binding(3) var<storage, read_write> dlogProb: array<f32>;

override WORKGROUP: u32 = 64;
const KIND_K1 = 0u;
const KIND_ABS = 1u;
const KIND_K2 = 2u;
const K3_LIMIT = 10.0; // nats; the released code clamps k3 there
const X_LIMIT = 60.0; // keeps e^x finite; k3 is far over its limit by then

// #use nan

// e^x − 1 without cancellation near 0 (relative error below 1e-7 for |x| < 0.25).
fn expm1(x: f32) -> f32 {
  let series = x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0)))));
  return select(exp(x) - 1.0, series, abs(x) < 0.25);
}

fn k3Gradient(d: f32) -> f32 {
  let x = min(-d, X_LIMIT);
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
  let d = logProb[s] - refLogProb[s];
  var slope = 0.0;
  switch (params.kind) {
    case KIND_K1: { slope = 1.0; }
    case KIND_ABS: { slope = sign(d); }
    case KIND_K2: { slope = d; }
    default: { slope = k3Gradient(d); }
  }
  if (isNaN(d) || (params.kind <= KIND_K2 && !isFinite(d))) { slope = bitcast<f32>(bitcast<u32>(d) | 0x7fc00000u); } // NaN
  dlogProb[s] += params.coefficient * slope;
}
