// adamw — one step of AdamW with decoupled weight decay on clipped gradients.
//
//   g  = gradients[i] · scale
//   m ← beta1·m + oneMinusBeta1·g,   v ← beta2·v + oneMinusBeta2·g²
//   w ← w − learningRate·weightDecay·decays[⌊i/BLOCK⌋]·w
//   w ← w − learningRate · (m / biasCorrection1) / (√(v / biasCorrection2) + epsilon)
//
// state = (norm, scale, finite, ·) from clip_scale; when finite is 0 nothing is written, so that a step with a
// non-finite gradient leaves parameters and moments as they were. biasCorrection = 1 − betaᵗ, t from 1, and the
// oneMinus… are made on the host in float64. decays is 1 where a block of the parameters decays and 0 where not:
// tensors start at whole blocks, so that gains may be left out.
//
// shapes  gradients, parameters, firstMoment, secondMoment [length] f32, state [4],
//         decays [⌈length/BLOCK⌉] f32
// grid    one invocation per 4 elements, WORKGROUP a group, folded over x and y
// writes  parameters, firstMoment, secondMoment in place
// oracle  adamw.oracle.ts

struct Params {
  length: u32,
  learningRate: f32,
  epsilon: f32,
  weightDecay: f32,
  beta1: f32,
  beta2: f32,
  oneMinusBeta1: f32,
  oneMinusBeta2: f32,
  biasCorrection1: f32,
  biasCorrection2: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read> state: array<f32>;
@group(0) @binding(3) var<storage, read> decays: array<f32>;
@group(0) @binding(4) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> firstMoment: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> secondMoment: array<vec4f>;

override WORKGROUP: u32 = 64;
override BLOCK: u32 = 256; // elements, a multiple of 4

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  if (4u * index >= params.length || state[2] == 0.0) { return; }
  let g = gradients[index] * state[1];
  let m = params.beta1 * firstMoment[index] + params.oneMinusBeta1 * g;
  let v = params.beta2 * secondMoment[index] + params.oneMinusBeta2 * g * g;
  let old = parameters[index];
  let decay = params.weightDecay * decays[4u * index / BLOCK];
  let decayed = old - params.learningRate * decay * old;
  let change = (m / params.biasCorrection1) / (sqrt(v / params.biasCorrection2) + params.epsilon);
  // Elements past the length, in the last four, stay as they are.
  let inside = vec4u(4u * index) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.length);
  parameters[index] = select(old, decayed - params.learningRate * change, inside);
  firstMoment[index] = select(firstMoment[index], m, inside);
  secondMoment[index] = select(secondMoment[index], v, inside);
}
