// clip_scale — global gradient norm, the factor that clips it, and whether it is finite.
//
//   norm   = √ Σ_b partial[b]
//   scale  = min(1, gradientClip / (norm + 1e-6))
//   state  = (norm, scale, 1, 0),   or (the sum, 0, 0, 0) when that is NaN or infinite
//
// shapes  partial [blocks] f32 → state [4]
// grid    one group of WORKGROUP lanes; lanes stride over partial
// writes  state =
// oracle  adamw.oracle.ts

struct Params { blocks: u32, gradientClip: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> state: array<f32>;

override WORKGROUP: u32 = 64; // a power of two

var<workgroup> sums: array<f32, WORKGROUP>;

// #use finite

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var b = lane; b < params.blocks; b += WORKGROUP) { sum += partial[b]; }
  sums[lane] = sum;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  if (lane > 0u) { return; }
  let total = sums[0];
  let finite = isFinite(total);
  let norm = sqrt(select(0.0, total, finite));
  state[0] = select(total, norm, finite);
  state[1] = select(0.0, min(1.0, params.gradientClip / (norm + 1e-6)), finite);
  state[2] = select(0.0, 1.0, finite);
  state[3] = 0.0;
}
