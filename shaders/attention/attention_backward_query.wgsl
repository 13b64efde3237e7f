// attention_backward_query — gradient of attention_forward with respect to the queries.
//
//   delta[n,h] = Σ_d dout[n,h,d] · out[n,h,d]
//   p[n,h,j]   = e^(s[n,h,j] − lse[n,h])                              see attention_forward
//   ds[n,h,j]  = p[n,h,j] · (Σ_d dout[n,h,d] · v[j,g,d] − delta[n,h])
//   dq[n,h,d]  = scale · Σ_j ds[n,h,j] · k[j,g,d]
//
// shapes  qk [N,(NH+NKV)·HS], qkv [N,(NH+2NKV)·HS], visible [N] pairs, out and dout [N,NH·HS],
//         lse [N,NH] → dqk [N,(NH+NKV)·HS] (its query columns), delta [N,NH]
// grid    one invocation per (n, h), walking the keys as attention_forward does
// writes  dqk query columns = (key columns untouched), delta =
// oracle  attention.oracle.ts

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

override WORKGROUP: u32 = 64;
// #use attention/head_blocks

// #use attention/query_gradient

fn addKeyDots(sum: vec4f, q: mat4x4f, key: u32, b: u32) -> vec4f {
  let d = 4u * b;
  let dots = fma(q[1], qk[key + min(d + 1u, LAST)], fma(q[0], qk[key + d], sum));
  return fma(q[3], qk[key + min(d + 3u, LAST)], fma(q[2], qk[key + min(d + 2u, LAST)], dots));
}

fn addValueDots(sum: vec4f, u: mat4x4f, value: u32, b: u32) -> vec4f {
  let d = 4u * b;
  let dots = fma(u[1], qkv[value + min(d + 1u, LAST)], fma(u[0], qkv[value + d], sum));
  return fma(u[3], qkv[value + min(d + 3u, LAST)], fma(u[2], qkv[value + min(d + 2u, LAST)], dots));
}

// sum + factor·key; what lands past the head's end is never stored.
fn addKey(sum: mat4x4f, factor: f32, key: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(fma(vec4f(factor), qk[key + d], sum[0]),
    fma(vec4f(factor), qk[key + min(d + 1u, LAST)], sum[1]),
    fma(vec4f(factor), qk[key + min(d + 2u, LAST)], sum[2]),
    fma(vec4f(factor), qk[key + min(d + 3u, LAST)], sum[3]));
}

// #use attention/next_key

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let n = unit / params.heads;
  let h = unit % params.heads;
  if (n >= params.tokens) { return; }
  // #use attention/head_columns

  let query = n * qkWidth + h * VECTORS;
  let upstream = unit * VECTORS;
  // #use attention/query_gradient_load
  let headLse = lse[unit];
  let d = headDelta(upstream);
  delta[unit] = d;

  for (var j = nextKey(visible[n].x, n); j <= n;) {
    let key = j * qkWidth + keyColumn;
    let value = j * qkvWidth + valueColumn;
    var scores = addKeyDots(vec4f(), q[0], key, 0u);
    if (BLOCKS > 1u) { scores = addKeyDots(scores, q[1], key, 1u); }
    if (BLOCKS > 2u) { scores = addKeyDots(scores, q[2], key, 2u); }
    if (BLOCKS > 3u) { scores = addKeyDots(scores, q[3], key, 3u); }
    if (BLOCKS > 4u) { scores = addKeyDots(scores, q[4], key, 4u); }
    if (BLOCKS > 5u) { scores = addKeyDots(scores, q[5], key, 5u); }
    if (BLOCKS > 6u) { scores = addKeyDots(scores, q[6], key, 6u); }
    if (BLOCKS > 7u) { scores = addKeyDots(scores, q[7], key, 7u); }
    var dps = addValueDots(vec4f(), u[0], value, 0u);
    if (BLOCKS > 1u) { dps = addValueDots(dps, u[1], value, 1u); }
    if (BLOCKS > 2u) { dps = addValueDots(dps, u[2], value, 2u); }
    if (BLOCKS > 3u) { dps = addValueDots(dps, u[3], value, 3u); }
    if (BLOCKS > 4u) { dps = addValueDots(dps, u[4], value, 4u); }
    if (BLOCKS > 5u) { dps = addValueDots(dps, u[5], value, 5u); }
    if (BLOCKS > 6u) { dps = addValueDots(dps, u[6], value, 6u); }
    if (BLOCKS > 7u) { dps = addValueDots(dps, u[7], value, 7u); }
    let p = exp(params.scale * dot(scores, vec4f(1.0)) - headLse);
    let ds = p * (dot(dps, vec4f(1.0)) - d);
    dq[0] = addKey(dq[0], ds, key, 0u);
    if (BLOCKS > 1u) { dq[1] = addKey(dq[1], ds, key, 1u); }
    if (BLOCKS > 2u) { dq[2] = addKey(dq[2], ds, key, 2u); }
    if (BLOCKS > 3u) { dq[3] = addKey(dq[3], ds, key, 3u); }
    if (BLOCKS > 4u) { dq[4] = addKey(dq[4], ds, key, 4u); }
    if (BLOCKS > 5u) { dq[5] = addKey(dq[5], ds, key, 5u); }
    if (BLOCKS > 6u) { dq[6] = addKey(dq[6], ds, key, 6u); }
    if (BLOCKS > 7u) { dq[7] = addKey(dq[7], ds, key, 7u); }
    j = nextKey(j + 1u, n);
  }

  // #use attention/query_gradient_store
}
