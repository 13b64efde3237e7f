// qk_norm_rotary_forward — per-head norm (optional) and rotary embedding of queries and keys.
//
//   x = qkv[n, h·HS … (h+1)·HS],  h < NH a query head, then NKV key heads;  w = queryWeight or keyWeight
//   u[j]        = x[j] · r · w[j],   r = ((1/HS) · Σ_j x[j]² + ε)^−½    u = x when normalise = 0
//   y[j]        = u[j] · cos − u[j+HS/2] · sin                         j < HS/2
//   y[j+HS/2]   = u[j+HS/2] · cos + u[j] · sin
//   cos, sin    = rotary[positions[n], j], rotary[positions[n], j+HS/2]
//
// shapes  qkv [N,(NH+2NKV)·HS], queryWeight and keyWeight [HS], positions [N], rotary [maxPosition,HS]
//         → qk [N,(NH+NKV)·HS]
// grid    one invocation per (n, h)
// writes  qk =
// source  rotary angles in the half-split order of Qwen3 (and Llama as released by Hugging Face)
// oracle  qk_norm_rotary.oracle.ts

struct Params { rows: u32, heads: u32, kvHeads: u32, normalise: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<vec2f>;
@group(0) @binding(2) var<storage, read> queryWeight: array<vec2f>;
@group(0) @binding(3) var<storage, read> keyWeight: array<vec2f>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;
@group(0) @binding(5) var<storage, read> rotary: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> qk: array<vec2f>;

override WORKGROUP: u32 = 64;
// #use rotary_head

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let normed = params.heads + params.kvHeads;
  let n = unit / normed;
  let h = unit % normed;
  if (n >= params.rows) { return; }
  let source = (n * (normed + params.kvHeads) + h) * VECTORS;
  let angle = positions[n] * VECTORS;
  let isQuery = h < params.heads;

  var r = 1.0;
  if (params.normalise != 0u) {
    var squares = vec2f();
    for (var j = 0u; j < VECTORS; j++) { squares = fma(qkv[source + j], qkv[source + j], squares); }
    r = inverseSqrt((squares.x + squares.y) / f32(HEAD_SIZE) + params.epsilon);
  }
  for (var j = 0u; j < HALF; j++) {
    var u1 = qkv[source + j];
    var u2 = qkv[source + HALF + j];
    if (params.normalise != 0u) {
      u1 *= r * select(keyWeight[j], queryWeight[j], isQuery);
      u2 *= r * select(keyWeight[HALF + j], queryWeight[HALF + j], isQuery);
    }
    let cos = rotary[angle + j];
    let sin = rotary[angle + HALF + j];
    qk[unit * VECTORS + j] = u1 * cos - u2 * sin;
    qk[unit * VECTORS + HALF + j] = u2 * cos + u1 * sin;
  }
}
