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
// #use attention/head_blocks
const FLOOR: f32 = -1e30; // below every score, and finite

// #use attention/load_query

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

// #use attention/store_head

// #use attention/next_key

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let n = unit / params.heads;
  let h = unit % params.heads;
  if (n >= params.tokens) { return; }
  // #use attention/head_columns

  let query = n * qkWidth + h * VECTORS;
  var q: array<mat4x4f, 8>;
  var weighted: array<mat4x4f, 8>;
  // #use attention/load_query_blocks

  var m = FLOOR;
  var sum = 0.0;
  for (var j = nextKey(visible[n].x, n); j <= n;) {
    let key = j * qkWidth + keyColumn;
    // #use attention/online_softmax_step
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
  // #use attention/store_head_blocks
  lse[unit] = m + log(sum);
}
