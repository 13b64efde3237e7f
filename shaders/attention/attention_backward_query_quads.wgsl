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
const HEAD_SIZE: u32 = 16;
const VECTORS: u32 = HEAD_SIZE / 4u;
const LAST: u32 = VECTORS - 1u;
const BLOCKS: u32 = (VECTORS + 3u) / 4u; // blocks of four vectors with constant numbers: see attention_forward
const_assert HEAD_SIZE % 4u == 0u && BLOCKS <= 8u;

// Block b of the query that starts at `start`; zeros past the head's end.
fn loadQuery(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(qk[start + d],
    select(vec4f(), qk[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), qk[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), qk[start + min(d + 3u, LAST)], d + 3u < VECTORS));
}

// The same of dout.
fn loadUpstream(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(dout[start + d],
    select(vec4f(), dout[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), dout[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), dout[start + min(d + 3u, LAST)], d + 3u < VECTORS));
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

fn storeQueryGradient(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  dqk[start + d] = block[0];
  if (d + 1u < VECTORS) { dqk[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { dqk[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { dqk[start + d + 3u] = block[3]; }
}

fn headDelta(start: u32) -> f32 {
  var sums = vec4f();
  for (var d = 0u; d < VECTORS; d++) { sums = fma(dout[start + d], out[start + d], sums); }
  return dot(sums, vec4f(1.0));
}

// The first key from `start` on that is not in a subtree without any of the subgroup's tokens, or a number past `last`. A
// loop of its own, beside the sums: SwiftShader would carry them through every way round the loop that they are in.
fn nextKey(start: u32, least: u32, last: u32) -> u32 {
  var j = start;
  while (j <= last && visible[j].y <= least) { j = max(visible[j].y, j + 1u); } // always onwards, whatever the buffer holds
  return j;
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
  let h = unit % params.heads;
  let wanted = unit / params.heads * 4u + lane;
  let inside = wanted < params.tokens;
  let n = min(wanted, params.tokens - 1u);
  let g = h / (params.heads / params.kvHeads);
  let qkWidth = (params.heads + params.kvHeads) * VECTORS;
  let qkvWidth = (params.heads + 2u * params.kvHeads) * VECTORS;
  let keyColumn = (params.heads + g) * VECTORS;
  let valueColumn = (params.heads + params.kvHeads + g) * VECTORS;

  let query = n * qkWidth + h * VECTORS;
  let head = n * params.heads + h;
  let upstream = head * VECTORS;
  var q: array<mat4x4f, 8>;
  var u: array<mat4x4f, 8>; // dout of this head
  var dq: array<mat4x4f, 8>;
  q[0] = loadQuery(query, 0u);
  if (BLOCKS > 1u) { q[1] = loadQuery(query, 1u); }
  if (BLOCKS > 2u) { q[2] = loadQuery(query, 2u); }
  if (BLOCKS > 3u) { q[3] = loadQuery(query, 3u); }
  if (BLOCKS > 4u) { q[4] = loadQuery(query, 4u); }
  if (BLOCKS > 5u) { q[5] = loadQuery(query, 5u); }
  if (BLOCKS > 6u) { q[6] = loadQuery(query, 6u); }
  if (BLOCKS > 7u) { q[7] = loadQuery(query, 7u); }
  u[0] = loadUpstream(upstream, 0u);
  if (BLOCKS > 1u) { u[1] = loadUpstream(upstream, 1u); }
  if (BLOCKS > 2u) { u[2] = loadUpstream(upstream, 2u); }
  if (BLOCKS > 3u) { u[3] = loadUpstream(upstream, 3u); }
  if (BLOCKS > 4u) { u[4] = loadUpstream(upstream, 4u); }
  if (BLOCKS > 5u) { u[5] = loadUpstream(upstream, 5u); }
  if (BLOCKS > 6u) { u[6] = loadUpstream(upstream, 6u); }
  if (BLOCKS > 7u) { u[7] = loadUpstream(upstream, 7u); }
  let headLse = lse[head];
  let d = headDelta(upstream);

  let start = visible[n].x;
  let first = subgroupMin(select(params.tokens, start, inside));
  let least = subgroupMin(n);
  let last = subgroupMax(select(0u, n, inside));
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
  storeQueryGradient(query, 0u, dq[0] * params.scale);
  if (BLOCKS > 1u) { storeQueryGradient(query, 1u, dq[1] * params.scale); }
  if (BLOCKS > 2u) { storeQueryGradient(query, 2u, dq[2] * params.scale); }
  if (BLOCKS > 3u) { storeQueryGradient(query, 3u, dq[3] * params.scale); }
  if (BLOCKS > 4u) { storeQueryGradient(query, 4u, dq[4] * params.scale); }
  if (BLOCKS > 5u) { storeQueryGradient(query, 5u, dq[5] * params.scale); }
  if (BLOCKS > 6u) { storeQueryGradient(query, 6u, dq[6] * params.scale); }
  if (BLOCKS > 7u) { storeQueryGradient(query, 7u, dq[7] * params.scale); }
}
