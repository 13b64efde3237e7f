// entropy_moments — count, mean and sum of squared deviations of entropies, joined to what moments holds.
//
//   (n, μ, M) of the S entropies by Welford's recurrence in each lane; sets a and b join to
//   n = n_a + n_b,  μ = μ_a + δ·n_b/n,  M = M_a + M_b + δ²·n_a·n_b/n,  δ = μ_b − μ_a
//
// A mini-batch in several parts adds them one after the other; the host zeroes moments before the first. Equal
// entropies give M = 0 exactly.
//
// shapes  entropy [S] f32 → moments [3]: n, μ, M
// grid    one workgroup; WORKGROUP lanes (a power of two) stride over S
// writes  moments: joined
// oracle  src/algo/loss/penalties.ts, entropyMoments

struct Params { scored: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> entropy: array<f32>;
@group(0) @binding(2) var<storage, read_write> moments: array<f32>;

override WORKGROUP: u32 = 64;
var<workgroup> partial: array<vec3f, WORKGROUP>;

fn join(a: vec3f, b: vec3f) -> vec3f {
  let n = a.x + b.x;
  if (n == 0.0) { return vec3f(); }
  let delta = b.y - a.y;
  return vec3f(n, a.y + delta * b.x / n, a.z + b.z + delta * delta * a.x * b.x / n);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
  var own = vec3f();
  for (var s = lane; s < params.scored; s += WORKGROUP) {
    let delta = entropy[s] - own.y;
    own.x += 1.0;
    own.y += delta / own.x;
    own.z += delta * (entropy[s] - own.y);
  }
  partial[lane] = own;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { partial[lane] = join(partial[lane], partial[lane + half]); }
  }
  if (lane != 0u) { return; }
  let all = join(vec3f(moments[0], moments[1], moments[2]), partial[0]);
  moments[0] = all.x;
  moments[1] = all.y;
  moments[2] = all.z;
}
