// probe_fma — the arithmetic ceiling of a device: fused multiply-adds in registers and nothing else.
//
//   x[i,c] = i mod 64 + c;   then 8·rounds times   x[i,c] ← scale·x[i,c] + shift
//   y[i]   = Σ_c x[i,c]
//
// shapes  y [length];  c in 0…7, eight chains that do not wait for each other
// grid    one invocation per element
// writes  y =
// oracle  probe.oracle.ts
struct Params { length: u32, rounds: u32, scale: f32, shift: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let i = id.x + id.y * groupCount.x * WORKGROUP;
  if (i >= params.length) { return; }
  let scale = vec4f(params.scale);
  let shift = vec4f(params.shift);
  var low = vec4f(0.0, 1.0, 2.0, 3.0) + f32(i % 64u);
  var high = vec4f(4.0, 5.0, 6.0, 7.0) + f32(i % 64u);
  for (var round = 0u; round < params.rounds; round++) {
    low = fma(low, scale, shift);
    high = fma(high, scale, shift);
    low = fma(low, scale, shift);
    high = fma(high, scale, shift);
    low = fma(low, scale, shift);
    high = fma(high, scale, shift);
    low = fma(low, scale, shift);
    high = fma(high, scale, shift);
    low = fma(low, scale, shift);
    high = fma(high, scale, shift);
    low = fma(low, scale, shift);
    high = fma(high, scale, shift);
    low = fma(low, scale, shift);
    high = fma(high, scale, shift);
    low = fma(low, scale, shift);
    high = fma(high, scale, shift);
  }
  y[i] = dot(low + high, vec4f(1.0));
}
