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
// #use attention/head_blocks
const FLOOR: f32 = -1e30; // below every score, and finite

// #use attention/load_query

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

// #use attention/store_head

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
  var q: array<mat4x4f, 8>;
  var weighted: array<mat4x4f, 8>;
  // #use attention/load_query_blocks

  // #use attention/subgroup_keys
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
  // #use attention/store_head_blocks
  lse[head] = m + log(sum);
}
