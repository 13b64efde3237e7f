// attention_backward_query_tiles — attention_backward_query for graphics cards: 16 tokens share keys through workgroup
// memory.
//
//   delta[n,h] = Σ_d dout[n,h,d] · out[n,h,d]
//   p[n,h,j]   = e^(s[n,h,j] − lse[n,h])                              see attention_forward
//   ds[n,h,j]  = p[n,h,j] · (Σ_d dout[n,h,d] · v[j,g,d] − delta[n,h])
//   dq[n,h,d]  = scale · Σ_j ds[n,h,j] · k[j,g,d]
//
// shapes  qk [N,(NH+NKV)·HS], qkv [N,(NH+2NKV)·HS], visible [N] pairs, out and dout [N,NH·HS],
//         lse [N,NH] → dqk [N,(NH+NKV)·HS] (its query columns), delta [N,NH]
// grid    one group per (16 consecutive tokens, h), as attention_forward_tiles
// needs   the feature subgroups, the language feature subgroup_id
// writes  dqk query columns = (key columns untouched), delta =
// order   bit for bit attention_backward_query
// oracle  attention.oracle.ts

diagnostic(off, subgroup_uniformity); // a quad's lanes have the same token, and go round together
enable subgroups;

struct Params { tokens: u32, heads: u32, kvHeads: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> visible: array<vec2u>;
@group(0) @binding(4) var<storage, read> out: array<f32>;
@group(0) @binding(5) var<storage, read> lse: array<f32>;
@group(0) @binding(6) var<storage, read> dout: array<f32>;
@group(0) @binding(7) var<storage, read_write> dqk: array<f32>;
@group(0) @binding(8) var<storage, read_write> delta: array<f32>;

// #use attention/card_lanes

// #use attention/card_load_keys

@compute @workgroup_size(4u * TOKENS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroupSize: u32,
  @builtin(subgroup_invocation_id) subgroupLane: u32,
) {
  // #use attention/card_place
  // #use attention/card_query_place
  // #use attention/head_columns

  let head = n * params.heads + h;
  let query = n * qkWidth + h * VECTORS;
  var q: array<vec4f, BLOCKS>;
  var u: array<vec4f, BLOCKS>; // dout of this head
  var dq: array<vec4f, BLOCKS>;
  var product = 0.0;
  for (var b = 0u; b < BLOCKS; b++) {
    q[b] = loadKeys(query, b)[lane];
    for (var i = 0u; i < 4u; i++) {
      if (4u * b + i >= VECTORS) { continue; }
      let at = head * HEAD_SIZE + 4u * (4u * b + i) + lane;
      u[b][i] = dout[at];
      product = fma(dout[at], out[at], product);
    }
  }
  let headLse = lse[head];
  let d = sumOfQuad(product);

  for (var j = nextKey(first, least, last); j <= last;) {
    // #use attention/card_bring_keys
    for (var i = 0u; i < count; i++) {
      var score = 0.0;
      var slope = 0.0;
      for (var b = 0u; b < BLOCKS; b++) {
        score = addFour(score, q[b], leftTile[4u * (i * BLOCKS + b) + lane]);
        slope = addFour(slope, u[b], rightTile[4u * (i * BLOCKS + b) + lane]);
      }
      let p = exp(params.scale * sumOfQuad(score) - headLse);
      let ds = p * (sumOfQuad(slope) - d);
      if (start > j + i || j + i > n || n >= ends[i]) { continue; }
      for (var b = 0u; b < BLOCKS; b++) { dq[b] = fma(vec4f(ds), leftTile[4u * (i * BLOCKS + b) + lane], dq[b]); }
    }
    j = nextKey(j + count, least, last);
  }

  if (!inside) { return; }
  if (lane == 0u) { delta[head] = d; }
  for (var b = 0u; b < BLOCKS; b++) {
    let gradient = dq[b] * params.scale;
    for (var i = 0u; i < 4u; i++) {
      if (4u * b + i < VECTORS) { dqk[4u * (query + 4u * b + i) + lane] = gradient[i]; }
    }
  }
}
