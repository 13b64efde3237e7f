// attention_forward_quads — attention_forward where the device has subgroups: four tokens share the keys they load.
//
//   query n reads key j  iff  visibleStart[n] ≤ j ≤ n < visibleEnd[j]
//   s[n,h,j]   = scale · Σ_d q[n,h,d] · k[j,g,d],   g = h / (NH/NKV)
//   lse[n,h]   = ln Σ_j e^s[n,h,j]                                    nats
//   out[n,h,d] = Σ_j e^(s[n,h,j] − lse[n,h]) · v[j,g,d]
//
// shapes  qk [N,(NH+NKV)·HS], qkv [N,(NH+2NKV)·HS] (values are its last NKV·HS columns),
//         visible [N] pairs (visibleStart, visibleEnd) → out [N,NH·HS], lse [N,NH]
// grid    one quad (four invocations of a subgroup) per (four consecutive tokens, h); keys ascending, those of a
//         subtree without any of the subgroup's tokens are jumped over
// writes  out = , lse =
// needs   the feature subgroups, the language feature subgroup_id
// order   a key that a lane does not read leaves its sums as they are: bit for bit attention_forward. Keys and values
//         must be finite, whoever reads them
// oracle  attention.oracle.ts

diagnostic(off, subgroup_uniformity); // the walk is the same for a subgroup: its bounds are subgroup minima and maxima
enable subgroups;

struct Params { tokens: u32, heads: u32, kvHeads: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> visible: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;

override QUADS: u32 = 16; // per group
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

// The lanes of a quad loaded a vector each, `mine`: four of the key, or of the value. Each is fetched where it is used,
// since values that live longer go through memory on a CPU.
fn addDots(sum: vec4f, x: mat4x4f, mine: vec4f) -> vec4f {
  let first = fma(x[0], quadBroadcast(mine, 0u), sum);
  let second = fma(x[1], quadBroadcast(mine, 1u), first);
  let third = fma(x[2], quadBroadcast(mine, 2u), second);
  return fma(x[3], quadBroadcast(mine, 3u), third);
}

// old·keep + p·value; what lands past the head's end is never stored.
fn blend(old: mat4x4f, keep: f32, p: f32, mine: vec4f) -> mat4x4f {
  let k = vec4f(keep);
  let first = fma(old[0], k, p * quadBroadcast(mine, 0u));
  let second = fma(old[1], k, p * quadBroadcast(mine, 1u));
  let third = fma(old[2], k, p * quadBroadcast(mine, 2u));
  let fourth = fma(old[3], k, p * quadBroadcast(mine, 3u));
  return mat4x4f(first, second, third, fourth);
}

fn store(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  out[start + d] = block[0];
  if (d + 1u < VECTORS) { out[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { out[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { out[start + d + 3u] = block[3]; }
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

  let start = visible[n].x;
  let first = subgroupMin(select(params.tokens, start, inside));
  let least = subgroupMin(n);
  let last = subgroupMax(select(0u, n, inside));
  var m = FLOOR;
  var sum = 0.0;
  for (var j = nextKey(first, least, last); j <= last;) {
    let end = visible[j].y;
    let key = j * qkWidth + keyColumn;
    let value = j * qkvWidth + valueColumn;
    let reads = start <= j && j <= n && n < end;
    var dots = addDots(vec4f(), q[0], qk[key + min(lane, LAST)]);
    if (BLOCKS > 1u) { dots = addDots(dots, q[1], qk[key + min(4u + lane, LAST)]); }
    if (BLOCKS > 2u) { dots = addDots(dots, q[2], qk[key + min(8u + lane, LAST)]); }
    if (BLOCKS > 3u) { dots = addDots(dots, q[3], qk[key + min(12u + lane, LAST)]); }
    if (BLOCKS > 4u) { dots = addDots(dots, q[4], qk[key + min(16u + lane, LAST)]); }
    if (BLOCKS > 5u) { dots = addDots(dots, q[5], qk[key + min(20u + lane, LAST)]); }
    if (BLOCKS > 6u) { dots = addDots(dots, q[6], qk[key + min(24u + lane, LAST)]); }
    if (BLOCKS > 7u) { dots = addDots(dots, q[7], qk[key + min(28u + lane, LAST)]); }
    let s = params.scale * dot(dots, vec4f(1.0));

    // One of the two factors is 1: a single exponential serves the old sum and the new term.
    let fade = exp(-abs(s - m));
    let rises = reads && s > m;
    let keep = select(1.0, fade, rises);
    let p = select(0.0, select(fade, 1.0, s > m), reads);
    m = select(m, s, rises);
    sum = fma(sum, keep, p);
    weighted[0] = blend(weighted[0], keep, p, qkv[value + min(lane, LAST)]);
    if (BLOCKS > 1u) { weighted[1] = blend(weighted[1], keep, p, qkv[value + min(4u + lane, LAST)]); }
    if (BLOCKS > 2u) { weighted[2] = blend(weighted[2], keep, p, qkv[value + min(8u + lane, LAST)]); }
    if (BLOCKS > 3u) { weighted[3] = blend(weighted[3], keep, p, qkv[value + min(12u + lane, LAST)]); }
    if (BLOCKS > 4u) { weighted[4] = blend(weighted[4], keep, p, qkv[value + min(16u + lane, LAST)]); }
    if (BLOCKS > 5u) { weighted[5] = blend(weighted[5], keep, p, qkv[value + min(20u + lane, LAST)]); }
    if (BLOCKS > 6u) { weighted[6] = blend(weighted[6], keep, p, qkv[value + min(24u + lane, LAST)]); }
    if (BLOCKS > 7u) { weighted[7] = blend(weighted[7], keep, p, qkv[value + min(28u + lane, LAST)]); }
    j = nextKey(j + 1u, least, last);
  }

  if (!inside) { return; }
  let inverse = 1.0 / sum;
  let head = n * params.heads + h;
  let result = head * VECTORS;
  store(result, 0u, weighted[0] * inverse);
  if (BLOCKS > 1u) { store(result, 1u, weighted[1] * inverse); }
  if (BLOCKS > 2u) { store(result, 2u, weighted[2] * inverse); }
  if (BLOCKS > 3u) { store(result, 3u, weighted[3] * inverse); }
  if (BLOCKS > 4u) { store(result, 4u, weighted[4] * inverse); }
  if (BLOCKS > 5u) { store(result, 5u, weighted[5] * inverse); }
  if (BLOCKS > 6u) { store(result, 6u, weighted[6] * inverse); }
  if (BLOCKS > 7u) { store(result, 7u, weighted[7] * inverse); }
  lse[head] = m + log(sum);
}
