// attention_backward_key_value_quads — attention_backward_key_value where the device has subgroups: four keys share
// their readers' queries and output gradients.
//
//   p[n,h,j], ds[n,h,j]                                               see attention_backward_query
//   dk[j,g,d] = scale · Σ_n Σ_{h in group g} ds[n,h,j] · q[n,h,d]
//   dv[j,g,d] = Σ_n Σ_{h in group g} p[n,h,j] · dout[n,h,d]
//   over the readers of key j: n in [j, visibleEnd[j]), a contiguous range in rows and in pre-order trees
//
// shapes  qk [N,(NH+NKV)·HS], qkv [N,(NH+2NKV)·HS], visible [N] pairs, lse and delta [N,NH],
//         dout [N,NH·HS] → dqk [N,(NH+NKV)·HS] (its key columns), dqkv [N,(NH+2NKV)·HS] (its value columns)
// grid    one quad (four invocations of a subgroup) per (four consecutive keys, g): each sums its own readers, no atomics
// needs   the feature subgroups, the language feature subgroup_id
// writes  dqk key columns = , dqkv value columns = (other columns untouched)
// oracle  attention.oracle.ts

diagnostic(off, subgroup_uniformity); // the walk is the same for a subgroup: its bounds are subgroup minima and maxima
enable subgroups;

struct Params { tokens: u32, heads: u32, kvHeads: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> visible: array<vec2u>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read> dout: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dqk: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> dqkv: array<vec4f>;

override QUADS: u32 = 16; // per group
// #use attention/head_blocks

// #use attention/key_value_gradient

// #use attention/quad_products

@compute @workgroup_size(4u * QUADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroupSize: u32,
  @builtin(subgroup_invocation_id) subgroupLane: u32,
) {
  // #use attention/quad_unit
  let g = unit % params.kvHeads;
  let wanted = unit / params.kvHeads * 4u + lane;
  let inside = wanted < params.tokens;
  let j = min(wanted, params.tokens - 1u);
  // #use attention/key_value_gradient_load

  let end = select(0u, visible[j].y, inside);
  let first = subgroupMin(j);
  let last = subgroupMax(end);
  // Readers and their heads in one loop: a loop in a loop carries dk and dv round both, 2.4 times the time on SwiftShader.
  let firstHead = g * groupHeads;
  let lastHead = firstHead + groupHeads - 1u;
  var h = firstHead;
  for (var n = first; n < last;) {
    let reads = j <= n && n < end;
    let query = n * qkWidth + h * VECTORS;
    let head = n * params.heads + h;
    let upstream = head * VECTORS;
    var q: array<mat4x4f, 8>;
    var u: array<mat4x4f, 8>; // dout of this head
    q[0] = shared4(qk[query + min(lane, LAST)]);
    if (BLOCKS > 1u) { q[1] = shared4(qk[query + min(4u + lane, LAST)]); }
    if (BLOCKS > 2u) { q[2] = shared4(qk[query + min(8u + lane, LAST)]); }
    if (BLOCKS > 3u) { q[3] = shared4(qk[query + min(12u + lane, LAST)]); }
    if (BLOCKS > 4u) { q[4] = shared4(qk[query + min(16u + lane, LAST)]); }
    if (BLOCKS > 5u) { q[5] = shared4(qk[query + min(20u + lane, LAST)]); }
    if (BLOCKS > 6u) { q[6] = shared4(qk[query + min(24u + lane, LAST)]); }
    if (BLOCKS > 7u) { q[7] = shared4(qk[query + min(28u + lane, LAST)]); }
    u[0] = shared4(dout[upstream + min(lane, LAST)]);
    if (BLOCKS > 1u) { u[1] = shared4(dout[upstream + min(4u + lane, LAST)]); }
    if (BLOCKS > 2u) { u[2] = shared4(dout[upstream + min(8u + lane, LAST)]); }
    if (BLOCKS > 3u) { u[3] = shared4(dout[upstream + min(12u + lane, LAST)]); }
    if (BLOCKS > 4u) { u[4] = shared4(dout[upstream + min(16u + lane, LAST)]); }
    if (BLOCKS > 5u) { u[5] = shared4(dout[upstream + min(20u + lane, LAST)]); }
    if (BLOCKS > 6u) { u[6] = shared4(dout[upstream + min(24u + lane, LAST)]); }
    if (BLOCKS > 7u) { u[7] = shared4(dout[upstream + min(28u + lane, LAST)]); }
    var scores = addDots(vec4f(), k[0], q[0]);
    if (BLOCKS > 1u) { scores = addDots(scores, k[1], q[1]); }
    if (BLOCKS > 2u) { scores = addDots(scores, k[2], q[2]); }
    if (BLOCKS > 3u) { scores = addDots(scores, k[3], q[3]); }
    if (BLOCKS > 4u) { scores = addDots(scores, k[4], q[4]); }
    if (BLOCKS > 5u) { scores = addDots(scores, k[5], q[5]); }
    if (BLOCKS > 6u) { scores = addDots(scores, k[6], q[6]); }
    if (BLOCKS > 7u) { scores = addDots(scores, k[7], q[7]); }
    var dps = addDots(vec4f(), v[0], u[0]);
    if (BLOCKS > 1u) { dps = addDots(dps, v[1], u[1]); }
    if (BLOCKS > 2u) { dps = addDots(dps, v[2], u[2]); }
    if (BLOCKS > 3u) { dps = addDots(dps, v[3], u[3]); }
    if (BLOCKS > 4u) { dps = addDots(dps, v[4], u[4]); }
    if (BLOCKS > 5u) { dps = addDots(dps, v[5], u[5]); }
    if (BLOCKS > 6u) { dps = addDots(dps, v[6], u[6]); }
    if (BLOCKS > 7u) { dps = addDots(dps, v[7], u[7]); }
    let all = exp(params.scale * dot(scores, vec4f(1.0)) - lse[head]);
    let p = select(0.0, all, reads);
    let ds = select(0.0, all * (dot(dps, vec4f(1.0)) - delta[head]), reads);
    dk[0] = addScaled(dk[0], ds, q[0]);
    if (BLOCKS > 1u) { dk[1] = addScaled(dk[1], ds, q[1]); }
    if (BLOCKS > 2u) { dk[2] = addScaled(dk[2], ds, q[2]); }
    if (BLOCKS > 3u) { dk[3] = addScaled(dk[3], ds, q[3]); }
    if (BLOCKS > 4u) { dk[4] = addScaled(dk[4], ds, q[4]); }
    if (BLOCKS > 5u) { dk[5] = addScaled(dk[5], ds, q[5]); }
    if (BLOCKS > 6u) { dk[6] = addScaled(dk[6], ds, q[6]); }
    if (BLOCKS > 7u) { dk[7] = addScaled(dk[7], ds, q[7]); }
    dv[0] = addScaled(dv[0], p, u[0]);
    if (BLOCKS > 1u) { dv[1] = addScaled(dv[1], p, u[1]); }
    if (BLOCKS > 2u) { dv[2] = addScaled(dv[2], p, u[2]); }
    if (BLOCKS > 3u) { dv[3] = addScaled(dv[3], p, u[3]); }
    if (BLOCKS > 4u) { dv[4] = addScaled(dv[4], p, u[4]); }
    if (BLOCKS > 5u) { dv[5] = addScaled(dv[5], p, u[5]); }
    if (BLOCKS > 6u) { dv[6] = addScaled(dv[6], p, u[6]); }
    if (BLOCKS > 7u) { dv[7] = addScaled(dv[7], p, u[7]); }
    n += select(0u, 1u, h == lastHead);
    h = select(h + 1u, firstHead, h == lastHead);
  }

  if (!inside) { return; }
  // #use attention/key_value_gradient_store
}
