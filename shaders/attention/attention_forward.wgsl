// attention_forward — grouped-query attention over packed rows, online softmax.
//
//   query n reads key j  iff  visibleStart[n] ≤ j ≤ n < visibleEnd[j]
//   s[n,h,j]   = scale · Σ_d q[n,h,d] · k[j,g,d],   g = h / (NH/NKV)
//   lse[n,h]   = ln Σ_j e^s[n,h,j]                                    nats
//   out[n,h,d] = Σ_j e^(s[n,h,j] − lse[n,h]) · v[j,g,d]
//
// shapes  qk [N,(NH+NKV)·HS], qkv [N,(NH+2NKV)·HS] (values are its last NKV·HS columns),
//         visible [N] pairs (visibleStart, visibleEnd) → out [N,NH·HS], lse [N,NH]
// grid    one invocation per (n, h); keys ascending, a subtree without n is jumped over
// writes  out = , lse =
// order   the arithmetic of decode_attention, operation by operation: the two agree bit for bit
// oracle  attention.oracle.ts

struct Params { tokens: u32, heads: u32, kvHeads: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> visible: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;

override WORKGROUP: u32 = 64;
const HEAD_SIZE: u32 = 16;
const VECTORS: u32 = HEAD_SIZE / 4u;
const LAST: u32 = VECTORS - 1u;
// A head is up to 8 blocks of four vectors. Constant block numbers keep them in registers: an array
// indexed by a loop variable is memory, and the kernel takes 2 to 3 times as long on SwiftShader.
const BLOCKS: u32 = (VECTORS + 3u) / 4u;
const_assert HEAD_SIZE % 4u == 0u && BLOCKS <= 8u;
const FLOOR: f32 = -1e30; // below every score, and finite

// Block b of the query that starts at `start`; zeros past the head's end.
fn loadQuery(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(qk[start + d],
    select(vec4f(), qk[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), qk[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), qk[start + min(d + 3u, LAST)], d + 3u < VECTORS));
}

fn addDots(sum: vec4f, q: mat4x4f, key: u32, b: u32) -> vec4f {
  let d = 4u * b;
  let dots = fma(q[1], qk[key + min(d + 1u, LAST)], fma(q[0], qk[key + d], sum));
  return fma(q[3], qk[key + min(d + 3u, LAST)], fma(q[2], qk[key + min(d + 2u, LAST)], dots));
}

// old·keep + p·value; what lands past the head's end is never stored.
fn blend(old: mat4x4f, keep: f32, p: f32, value: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(fma(old[0], vec4f(keep), p * qkv[value + d]),
    fma(old[1], vec4f(keep), p * qkv[value + min(d + 1u, LAST)]),
    fma(old[2], vec4f(keep), p * qkv[value + min(d + 2u, LAST)]),
    fma(old[3], vec4f(keep), p * qkv[value + min(d + 3u, LAST)]));
}

fn store(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  out[start + d] = block[0];
  if (d + 1u < VECTORS) { out[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { out[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { out[start + d + 3u] = block[3]; }
}

// The first key from `start` on that query n reads, or a number past n: subtrees without n are jumped over.
fn nextKey(start: u32, n: u32) -> u32 {
  var j = start;
  while (j <= n && visible[j].y <= n) { j = max(visible[j].y, j + 1u); } // always onwards, whatever the buffer holds
  return j;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let n = unit / params.heads;
  let h = unit % params.heads;
  if (n >= params.tokens) { return; }
  let g = h / (params.heads / params.kvHeads);
  let qkWidth = (params.heads + params.kvHeads) * VECTORS;
  let qkvWidth = (params.heads + 2u * params.kvHeads) * VECTORS;
  let keyColumn = (params.heads + g) * VECTORS;
  let valueColumn = (params.heads + params.kvHeads + g) * VECTORS;

  let query = n * qkWidth + h * VECTORS;
  var q: array<mat4x4f, 8>;
  var weighted: array<mat4x4f, 8>;
  q[0] = loadQuery(query, 0u);
  if (BLOCKS > 1u) { q[1] = loadQuery(query, 1u); }
  if (BLOCKS > 2u) { q[2] = loadQuery(query, 2u); }
  if (BLOCKS > 3u) { q[3] = loadQuery(query, 3u); }
  if (BLOCKS > 4u) { q[4] = loadQuery(query, 4u); }
  if (BLOCKS > 5u) { q[5] = loadQuery(query, 5u); }
  if (BLOCKS > 6u) { q[6] = loadQuery(query, 6u); }
  if (BLOCKS > 7u) { q[7] = loadQuery(query, 7u); }

  var m = FLOOR;
  var sum = 0.0;
  for (var j = nextKey(visible[n].x, n); j <= n;) {
    let key = j * qkWidth + keyColumn;
    var dots = addDots(vec4f(), q[0], key, 0u);
    if (BLOCKS > 1u) { dots = addDots(dots, q[1], key, 1u); }
    if (BLOCKS > 2u) { dots = addDots(dots, q[2], key, 2u); }
    if (BLOCKS > 3u) { dots = addDots(dots, q[3], key, 3u); }
    if (BLOCKS > 4u) { dots = addDots(dots, q[4], key, 4u); }
    if (BLOCKS > 5u) { dots = addDots(dots, q[5], key, 5u); }
    if (BLOCKS > 6u) { dots = addDots(dots, q[6], key, 6u); }
    if (BLOCKS > 7u) { dots = addDots(dots, q[7], key, 7u); }
    let s = params.scale * dot(dots, vec4f(1.0));

    // One of the two factors is 1: a single exponential serves the old sum and the new term.
    let fade = exp(-abs(s - m));
    let keep = select(1.0, fade, s > m);
    let p = select(fade, 1.0, s > m);
    m = max(m, s);
    sum = fma(sum, keep, p);
    let value = j * qkvWidth + valueColumn;
    weighted[0] = blend(weighted[0], keep, p, value, 0u);
    if (BLOCKS > 1u) { weighted[1] = blend(weighted[1], keep, p, value, 1u); }
    if (BLOCKS > 2u) { weighted[2] = blend(weighted[2], keep, p, value, 2u); }
    if (BLOCKS > 3u) { weighted[3] = blend(weighted[3], keep, p, value, 3u); }
    if (BLOCKS > 4u) { weighted[4] = blend(weighted[4], keep, p, value, 4u); }
    if (BLOCKS > 5u) { weighted[5] = blend(weighted[5], keep, p, value, 5u); }
    if (BLOCKS > 6u) { weighted[6] = blend(weighted[6], keep, p, value, 6u); }
    if (BLOCKS > 7u) { weighted[7] = blend(weighted[7], keep, p, value, 7u); }
    j = nextKey(j + 1u, n);
  }

  let inverse = 1.0 / sum;
  let result = unit * VECTORS;
  store(result, 0u, weighted[0] * inverse);
  if (BLOCKS > 1u) { store(result, 1u, weighted[1] * inverse); }
  if (BLOCKS > 2u) { store(result, 2u, weighted[2] * inverse); }
  if (BLOCKS > 3u) { store(result, 3u, weighted[3] * inverse); }
  if (BLOCKS > 4u) { store(result, 4u, weighted[4] * inverse); }
  if (BLOCKS > 5u) { store(result, 5u, weighted[5] * inverse); }
  if (BLOCKS > 6u) { store(result, 6u, weighted[6] * inverse); }
  if (BLOCKS > 7u) { store(result, 7u, weighted[7] * inverse); }
  lse[unit] = m + log(sum);
}
