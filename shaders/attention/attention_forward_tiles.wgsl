// attention_forward_tiles — attention_forward for graphics cards: 16 tokens share keys through workgroup memory.
//
//   query n reads key j  iff  visibleStart[n] ≤ j ≤ n < visibleEnd[j]
//   s[n,h,j]   = scale · Σ_d q[n,h,d] · k[j,g,d],   g = h / (NH/NKV)
//   lse[n,h]   = ln Σ_j e^s[n,h,j]                                    nats
//   out[n,h,d] = Σ_j e^(s[n,h,j] − lse[n,h]) · v[j,g,d]
//
// shapes  qk [N,(NH+NKV)·HS], qkv [N,(NH+2NKV)·HS] (values are its last NKV·HS columns),
//         visible [N] pairs (visibleStart, visibleEnd) → out [N,NH·HS], lse [N,NH]
// grid    one group per (16 consecutive tokens, h), a quad of lanes a token; keys ascending, those of a subtree without any
//         of the group's tokens are jumped over
// writes  out = , lse =
// needs   the feature subgroups, the language feature subgroup_id
// order   the arithmetic of attention_forward, operation by operation: the two agree bit for bit
// oracle  attention.oracle.ts

diagnostic(off, subgroup_uniformity); // a quad's lanes have the same token, and go round together
enable subgroups;

struct Params { tokens: u32, heads: u32, kvHeads: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> visible: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> lse: array<f32>;

const FLOOR: f32 = -1e30; // below every score, and finite

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

  var q: array<vec4f, BLOCKS>;
  var weighted: array<vec4f, BLOCKS>;
  for (var b = 0u; b < BLOCKS; b++) { q[b] = loadKeys(n * qkWidth + h * VECTORS, b)[lane]; }

  var m = FLOOR;
  var sum = 0.0;
  for (var j = nextKey(first, least, last); j <= last;) {
    // #use attention/card_bring_keys
    for (var i = 0u; i < count; i++) {
      var own = 0.0;
      for (var b = 0u; b < BLOCKS; b++) { own = addFour(own, q[b], leftTile[4u * (i * BLOCKS + b) + lane]); }
      let s = params.scale * sumOfQuad(own);
      if (start > j + i || j + i > n || n >= ends[i]) { continue; }

      // One of the two factors is 1: a single exponential serves the old sum and the new term.
      let fade = exp(-abs(s - m));
      let keep = select(1.0, fade, s > m);
      let p = select(fade, 1.0, s > m);
      m = max(m, s);
      sum = fma(sum, keep, p);
      for (var b = 0u; b < BLOCKS; b++) {
        weighted[b] = fma(weighted[b], vec4f(keep), p * rightTile[4u * (i * BLOCKS + b) + lane]);
      }
    }
    j = nextKey(j + count, least, last);
  }

  if (!inside) { return; }
  let inverse = 1.0 / sum;
  let head = n * params.heads + h;
  for (var b = 0u; b < BLOCKS; b++) {
    let value = weighted[b] * inverse;
    for (var i = 0u; i < 4u; i++) {
      if (4u * b + i < VECTORS) { out[head * HEAD_SIZE + 4u * (4u * b + i) + lane] = value[i]; }
    }
  }
  if (lane == 0u) { lse[head] = m + log(sum); }
}
