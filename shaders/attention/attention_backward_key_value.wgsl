// attention_backward_key_value — gradient of attention_forward with respect to keys and values.
//
//   p[n,h,j], ds[n,h,j]                                               see attention_backward_query
//   dk[j,g,d] = scale · Σ_n Σ_{h in group g} ds[n,h,j] · q[n,h,d]
//   dv[j,g,d] = Σ_n Σ_{h in group g} p[n,h,j] · dout[n,h,d]
//   over the readers of key j: n in [j, visibleEnd[j]), a contiguous range in rows and in pre-order trees
//
// shapes  qk [N,(NH+NKV)·HS], qkv [N,(NH+2NKV)·HS], visible [N] pairs, lse and delta [N,NH],
//         dout [N,NH·HS] → dqk [N,(NH+NKV)·HS] (its key columns), dqkv [N,(NH+2NKV)·HS] (its value columns)
// grid    one invocation per (j, g): each sums its own readers, no atomics
// writes  dqk key columns = , dqkv value columns = (other columns untouched)
// oracle  attention.oracle.ts

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

override WORKGROUP: u32 = 64;
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

fn addQueryDots(sum: vec4f, k: mat4x4f, query: u32, b: u32) -> vec4f {
  let d = 4u * b;
  let dots = fma(k[1], qk[query + min(d + 1u, LAST)], fma(k[0], qk[query + d], sum));
  return fma(k[3], qk[query + min(d + 3u, LAST)], fma(k[2], qk[query + min(d + 2u, LAST)], dots));
}

fn addUpstreamDots(sum: vec4f, v: mat4x4f, upstream: u32, b: u32) -> vec4f {
  let d = 4u * b;
  let dots = fma(v[1], dout[upstream + min(d + 1u, LAST)], fma(v[0], dout[upstream + d], sum));
  return fma(v[3], dout[upstream + min(d + 3u, LAST)], fma(v[2], dout[upstream + min(d + 2u, LAST)], dots));
}

// sum + factor·query; what lands past the head's end is never stored.
fn addQuery(sum: mat4x4f, factor: f32, query: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(fma(vec4f(factor), qk[query + d], sum[0]),
    fma(vec4f(factor), qk[query + min(d + 1u, LAST)], sum[1]),
    fma(vec4f(factor), qk[query + min(d + 2u, LAST)], sum[2]),
    fma(vec4f(factor), qk[query + min(d + 3u, LAST)], sum[3]));
}

fn addUpstream(sum: mat4x4f, factor: f32, upstream: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(fma(vec4f(factor), dout[upstream + d], sum[0]),
    fma(vec4f(factor), dout[upstream + min(d + 1u, LAST)], sum[1]),
    fma(vec4f(factor), dout[upstream + min(d + 2u, LAST)], sum[2]),
    fma(vec4f(factor), dout[upstream + min(d + 3u, LAST)], sum[3]));
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

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let j = unit / params.kvHeads;
  let g = unit % params.kvHeads;
  if (j >= params.tokens) { return; }
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

  let end = visible[j].y;
  // Readers and their heads in one loop, as in its twin: it takes 0.45 of the time on SwiftShader.
  let firstHead = g * groupHeads;
  let lastHead = firstHead + groupHeads - 1u;
  var h = firstHead;
  for (var n = j; n < end;) {
    let query = n * qkWidth + h * VECTORS;
    let head = n * params.heads + h;
    let upstream = head * VECTORS;
    var scores = addQueryDots(vec4f(), k[0], query, 0u);
    if (BLOCKS > 1u) { scores = addQueryDots(scores, k[1], query, 1u); }
    if (BLOCKS > 2u) { scores = addQueryDots(scores, k[2], query, 2u); }
    if (BLOCKS > 3u) { scores = addQueryDots(scores, k[3], query, 3u); }
    if (BLOCKS > 4u) { scores = addQueryDots(scores, k[4], query, 4u); }
    if (BLOCKS > 5u) { scores = addQueryDots(scores, k[5], query, 5u); }
    if (BLOCKS > 6u) { scores = addQueryDots(scores, k[6], query, 6u); }
    if (BLOCKS > 7u) { scores = addQueryDots(scores, k[7], query, 7u); }
    var dps = addUpstreamDots(vec4f(), v[0], upstream, 0u);
    if (BLOCKS > 1u) { dps = addUpstreamDots(dps, v[1], upstream, 1u); }
    if (BLOCKS > 2u) { dps = addUpstreamDots(dps, v[2], upstream, 2u); }
    if (BLOCKS > 3u) { dps = addUpstreamDots(dps, v[3], upstream, 3u); }
    if (BLOCKS > 4u) { dps = addUpstreamDots(dps, v[4], upstream, 4u); }
    if (BLOCKS > 5u) { dps = addUpstreamDots(dps, v[5], upstream, 5u); }
    if (BLOCKS > 6u) { dps = addUpstreamDots(dps, v[6], upstream, 6u); }
    if (BLOCKS > 7u) { dps = addUpstreamDots(dps, v[7], upstream, 7u); }
    let p = exp(params.scale * dot(scores, vec4f(1.0)) - lse[head]);
    let ds = p * (dot(dps, vec4f(1.0)) - delta[head]);
    dk[0] = addQuery(dk[0], ds, query, 0u);
    if (BLOCKS > 1u) { dk[1] = addQuery(dk[1], ds, query, 1u); }
    if (BLOCKS > 2u) { dk[2] = addQuery(dk[2], ds, query, 2u); }
    if (BLOCKS > 3u) { dk[3] = addQuery(dk[3], ds, query, 3u); }
    if (BLOCKS > 4u) { dk[4] = addQuery(dk[4], ds, query, 4u); }
    if (BLOCKS > 5u) { dk[5] = addQuery(dk[5], ds, query, 5u); }
    if (BLOCKS > 6u) { dk[6] = addQuery(dk[6], ds, query, 6u); }
    if (BLOCKS > 7u) { dk[7] = addQuery(dk[7], ds, query, 7u); }
    dv[0] = addUpstream(dv[0], p, upstream, 0u);
    if (BLOCKS > 1u) { dv[1] = addUpstream(dv[1], p, upstream, 1u); }
    if (BLOCKS > 2u) { dv[2] = addUpstream(dv[2], p, upstream, 2u); }
    if (BLOCKS > 3u) { dv[3] = addUpstream(dv[3], p, upstream, 3u); }
    if (BLOCKS > 4u) { dv[4] = addUpstream(dv[4], p, upstream, 4u); }
    if (BLOCKS > 5u) { dv[5] = addUpstream(dv[5], p, upstream, 5u); }
    if (BLOCKS > 6u) { dv[6] = addUpstream(dv[6], p, upstream, 6u); }
    if (BLOCKS > 7u) { dv[7] = addUpstream(dv[7], p, upstream, 7u); }
    n += select(0u, 1u, h == lastHead);
    h = select(h + 1u, firstHead, h == lastHead);
  }

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
