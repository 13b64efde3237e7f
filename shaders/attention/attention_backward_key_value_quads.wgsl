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
const HEAD_SIZE: u32 = 16;
const VECTORS: u32 = HEAD_SIZE / 4u;
const LAST: u32 = VECTORS - 1u;
const BLOCKS: u32 = (VECTORS + 3u) / 4u; // blocks of four vectors with constant numbers: see attention_forward
const_assert HEAD_SIZE % 4u == 0u && BLOCKS <= 8u;

// Block b of the key that starts at `start`; zeros past the head's end.
fn loadKey(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(qk[start + d],
    select(vec4f(), qk[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), qk[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), qk[start + min(d + 3u, LAST)], d + 3u < VECTORS));
}

// The same of a value.
fn loadValue(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(qkv[start + d],
    select(vec4f(), qkv[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), qkv[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), qkv[start + min(d + 3u, LAST)], d + 3u < VECTORS));
}

// Four vectors that the lanes of a quad loaded one each, for all of them.
fn shared4(mine: vec4f) -> mat4x4f {
  return mat4x4f(quadBroadcast(mine, 0u), quadBroadcast(mine, 1u), quadBroadcast(mine, 2u), quadBroadcast(mine, 3u));
}

fn addDots(sum: vec4f, x: mat4x4f, y: mat4x4f) -> vec4f {
  return fma(x[3], y[3], fma(x[2], y[2], fma(x[1], y[1], fma(x[0], y[0], sum))));
}

// sum + factor·x; what lands past the head's end is never stored.
fn addScaled(sum: mat4x4f, factor: f32, x: mat4x4f) -> mat4x4f {
  let f = vec4f(factor);
  return mat4x4f(fma(f, x[0], sum[0]), fma(f, x[1], sum[1]), fma(f, x[2], sum[2]), fma(f, x[3], sum[3]));
}

fn storeKeyGradient(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  dqk[start + d] = block[0];
  if (d + 1u < VECTORS) { dqk[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { dqk[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { dqk[start + d + 3u] = block[3]; }
}

fn storeValueGradient(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  dqkv[start + d] = block[0];
  if (d + 1u < VECTORS) { dqkv[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { dqkv[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { dqkv[start + d + 3u] = block[3]; }
}

@compute @workgroup_size(4u * QUADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroupSize: u32,
  @builtin(subgroup_invocation_id) subgroupLane: u32,
) {
  let lane = subgroupLane % 4u;
  let quad = (subgroup * subgroupSize + subgroupLane) / 4u;
  let unit = (group.x + group.y * groupCount.x) * QUADS + quad;
  let g = unit % params.kvHeads;
  let wanted = unit / params.kvHeads * 4u + lane;
  let inside = wanted < params.tokens;
  let j = min(wanted, params.tokens - 1u);
  let groupHeads = params.heads / params.kvHeads;
  let qkWidth = (params.heads + params.kvHeads) * VECTORS;
  let qkvWidth = (params.heads + 2u * params.kvHeads) * VECTORS;
  let key = j * qkWidth + (params.heads + g) * VECTORS;
  let value = j * qkvWidth + (params.heads + params.kvHeads + g) * VECTORS;

  var k: array<mat4x4f, 8>;
  var v: array<mat4x4f, 8>;
  var dk: array<mat4x4f, 8>;
  var dv: array<mat4x4f, 8>;
  k[0] = loadKey(key, 0u);
  if (BLOCKS > 1u) { k[1] = loadKey(key, 1u); }
  if (BLOCKS > 2u) { k[2] = loadKey(key, 2u); }
  if (BLOCKS > 3u) { k[3] = loadKey(key, 3u); }
  if (BLOCKS > 4u) { k[4] = loadKey(key, 4u); }
  if (BLOCKS > 5u) { k[5] = loadKey(key, 5u); }
  if (BLOCKS > 6u) { k[6] = loadKey(key, 6u); }
  if (BLOCKS > 7u) { k[7] = loadKey(key, 7u); }
  v[0] = loadValue(value, 0u);
  if (BLOCKS > 1u) { v[1] = loadValue(value, 1u); }
  if (BLOCKS > 2u) { v[2] = loadValue(value, 2u); }
  if (BLOCKS > 3u) { v[3] = loadValue(value, 3u); }
  if (BLOCKS > 4u) { v[4] = loadValue(value, 4u); }
  if (BLOCKS > 5u) { v[5] = loadValue(value, 5u); }
  if (BLOCKS > 6u) { v[6] = loadValue(value, 6u); }
  if (BLOCKS > 7u) { v[7] = loadValue(value, 7u); }

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
  storeKeyGradient(key, 0u, dk[0] * params.scale);
  if (BLOCKS > 1u) { storeKeyGradient(key, 1u, dk[1] * params.scale); }
  if (BLOCKS > 2u) { storeKeyGradient(key, 2u, dk[2] * params.scale); }
  if (BLOCKS > 3u) { storeKeyGradient(key, 3u, dk[3] * params.scale); }
  if (BLOCKS > 4u) { storeKeyGradient(key, 4u, dk[4] * params.scale); }
  if (BLOCKS > 5u) { storeKeyGradient(key, 5u, dk[5] * params.scale); }
  if (BLOCKS > 6u) { storeKeyGradient(key, 6u, dk[6] * params.scale); }
  if (BLOCKS > 7u) { storeKeyGradient(key, 7u, dk[7] * params.scale); }
  storeValueGradient(value, 0u, dv[0]);
  if (BLOCKS > 1u) { storeValueGradient(value, 1u, dv[1]); }
  if (BLOCKS > 2u) { storeValueGradient(value, 2u, dv[2]); }
  if (BLOCKS > 3u) { storeValueGradient(value, 3u, dv[3]); }
  if (BLOCKS > 4u) { storeValueGradient(value, 4u, dv[4]); }
  if (BLOCKS > 5u) { storeValueGradient(value, 5u, dv[5]); }
  if (BLOCKS > 6u) { storeValueGradient(value, 6u, dv[6]); }
  if (BLOCKS > 7u) { storeValueGradient(value, 7u, dv[7]); }
}
