// attention_backward_query_quads — attention_backward_query where the device has subgroups: four tokens share keys and
// values.
//
//   delta[n,h] = Σ_d dout[n,h,d] · out[n,h,d]
//   p[n,h,j]   = e^(s[n,h,j] − lse[n,h])                              see attention_forward
//   ds[n,h,j]  = p[n,h,j] · (Σ_d dout[n,h,d] · v[j,g,d] − delta[n,h])
//   dq[n,h,d]  = scale · Σ_j ds[n,h,j] · k[j,g,d]
//
// shapes  qk [N,(NH+NKV)·HS], qkv [N,(NH+2NKV)·HS], visible [N] pairs, out and dout [N,NH·HS],
//         lse [N,NH] → dqk [N,(NH+NKV)·HS] (its query columns), delta [N,NH]
// grid    one quad (four invocations of a subgroup) per (four consecutive tokens, h), walking the keys as
//         attention_forward_quads does
// needs   the feature subgroups, the language feature subgroup_id
// writes  dqk query columns = (key columns untouched), delta =
// oracle  attention.oracle.ts

diagnostic(off, subgroup_uniformity); // the walk is the same for a subgroup: its bounds are subgroup minima and maxima
enable subgroups;

struct Params { tokens: u32, heads: u32, kvHeads: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> visible: array<vec2u>;
@group(0) @binding(4) var<storage, read> out: array<vec4f>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> dout: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dqk: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> delta: array<f32>;

override QUADS: u32 = 16; // per group
// #use attention/head_blocks

// #use attention/query_gradient

// #use attention/quad_products

// #use attention/next_key_of_subgroup

@compute @workgroup_size(4u * QUADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroupSize: u32,
  @builtin(subgroup_invocation_id) subgroupLane: u32,
) {
  // #use attention/quad_unit
  // #use attention/quad_tokens
  // #use attention/head_columns

  let query = n * qkWidth + h * VECTORS;
  let head = n * params.heads + h;
  let upstream = head * VECTORS;
  // #use attention/query_gradient_load
  let headLse = lse[head];
  let d = headDelta(upstream);

  // #use attention/subgroup_keys
  for (var j = nextKey(first, least, last); j <= last;) {
    let end = visible[j].y;
    let key = j * qkWidth + keyColumn;
    let value = j * qkvWidth + valueColumn;
    let reads = start <= j && j <= n && n < end;
    var k: array<mat4x4f, 8>;
    k[0] = shared4(qk[key + min(lane, LAST)]);
    if (BLOCKS > 1u) { k[1] = shared4(qk[key + min(4u + lane, LAST)]); }
    if (BLOCKS > 2u) { k[2] = shared4(qk[key + min(8u + lane, LAST)]); }
    if (BLOCKS > 3u) { k[3] = shared4(qk[key + min(12u + lane, LAST)]); }
    if (BLOCKS > 4u) { k[4] = shared4(qk[key + min(16u + lane, LAST)]); }
    if (BLOCKS > 5u) { k[5] = shared4(qk[key + min(20u + lane, LAST)]); }
    if (BLOCKS > 6u) { k[6] = shared4(qk[key + min(24u + lane, LAST)]); }
    if (BLOCKS > 7u) { k[7] = shared4(qk[key + min(28u + lane, LAST)]); }
    var scores = addDots(vec4f(), q[0], k[0]);
    if (BLOCKS > 1u) { scores = addDots(scores, q[1], k[1]); }
    if (BLOCKS > 2u) { scores = addDots(scores, q[2], k[2]); }
    if (BLOCKS > 3u) { scores = addDots(scores, q[3], k[3]); }
    if (BLOCKS > 4u) { scores = addDots(scores, q[4], k[4]); }
    if (BLOCKS > 5u) { scores = addDots(scores, q[5], k[5]); }
    if (BLOCKS > 6u) { scores = addDots(scores, q[6], k[6]); }
    if (BLOCKS > 7u) { scores = addDots(scores, q[7], k[7]); }
    var dps = addDots(vec4f(), u[0], shared4(qkv[value + min(lane, LAST)]));
    if (BLOCKS > 1u) { dps = addDots(dps, u[1], shared4(qkv[value + min(4u + lane, LAST)])); }
    if (BLOCKS > 2u) { dps = addDots(dps, u[2], shared4(qkv[value + min(8u + lane, LAST)])); }
    if (BLOCKS > 3u) { dps = addDots(dps, u[3], shared4(qkv[value + min(12u + lane, LAST)])); }
    if (BLOCKS > 4u) { dps = addDots(dps, u[4], shared4(qkv[value + min(16u + lane, LAST)])); }
    if (BLOCKS > 5u) { dps = addDots(dps, u[5], shared4(qkv[value + min(20u + lane, LAST)])); }
    if (BLOCKS > 6u) { dps = addDots(dps, u[6], shared4(qkv[value + min(24u + lane, LAST)])); }
    if (BLOCKS > 7u) { dps = addDots(dps, u[7], shared4(qkv[value + min(28u + lane, LAST)])); }
    let p = exp(params.scale * dot(scores, vec4f(1.0)) - headLse);
    let ds = select(0.0, p * (dot(dps, vec4f(1.0)) - d), reads);
    dq[0] = addScaled(dq[0], ds, k[0]);
    if (BLOCKS > 1u) { dq[1] = addScaled(dq[1], ds, k[1]); }
    if (BLOCKS > 2u) { dq[2] = addScaled(dq[2], ds, k[2]); }
    if (BLOCKS > 3u) { dq[3] = addScaled(dq[3], ds, k[3]); }
    if (BLOCKS > 4u) { dq[4] = addScaled(dq[4], ds, k[4]); }
    if (BLOCKS > 5u) { dq[5] = addScaled(dq[5], ds, k[5]); }
    if (BLOCKS > 6u) { dq[6] = addScaled(dq[6], ds, k[6]); }
    if (BLOCKS > 7u) { dq[7] = addScaled(dq[7], ds, k[7]); }
    j = nextKey(j + 1u, least, last);
  }

  if (!inside) { return; }
  delta[head] = d;
  // #use attention/query_gradient_store
}
