// attention_backward_key_value_tiles — attention_backward_key_value for graphics cards: 16 keys share their readers through
// workgroup memory.
//
//   p[n,h,j], ds[n,h,j]                                               see attention_backward_query
//   dk[j,g,d] = scale · Σ_n Σ_{h in group g} ds[n,h,j] · q[n,h,d]
//   dv[j,g,d] = Σ_n Σ_{h in group g} p[n,h,j] · dout[n,h,d]
//   over the readers of key j: n in [j, visibleEnd[j]), a contiguous range in rows and in pre-order trees
//
// shapes  qk [N,(NH+NKV)·HS], qkv [N,(NH+2NKV)·HS], visible [N] pairs, lse and delta [N,NH],
//         dout [N,NH·HS] → dqk [N,(NH+NKV)·HS] (its key columns), dqkv [N,(NH+2NKV)·HS] (its value columns)
// grid    one group per (16 consecutive keys, g), a quad of lanes a key: each sums its own readers, no atomics
// needs   the feature subgroups, the language feature subgroup_id
// writes  dqk key columns = , dqkv value columns = (other columns untouched)
// order   bit for bit attention_backward_key_value
// oracle  attention.oracle.ts

diagnostic(off, subgroup_uniformity); // a quad's lanes have the same key, and go round together
enable subgroups;

struct Params { tokens: u32, heads: u32, kvHeads: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> visible: array<vec2u>;
@group(0) @binding(4) var<storage, read> lse: array<f32>;
@group(0) @binding(5) var<storage, read> delta: array<f32>;
@group(0) @binding(6) var<storage, read> dout: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dqk: array<f32>;
@group(0) @binding(8) var<storage, read_write> dqkv: array<f32>;

// #use attention/card_lanes

var<workgroup> saved: array<vec2f, STAGED>; // lse and delta of the readers

// #use attention/card_load_block

// The same of an output's gradient.
fn loadUpstream(start: u32, b: u32) -> mat4x4f {
  let inside = inHead(b);
  return transpose(mat4x4f(dout[start + 4u * b],
    select(vec4f(), dout[start + min(4u * b + 1u, LAST)], inside.y),
    select(vec4f(), dout[start + min(4u * b + 2u, LAST)], inside.z),
    select(vec4f(), dout[start + min(4u * b + 3u, LAST)], inside.w)));
}

@compute @workgroup_size(4u * TOKENS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroupSize: u32,
  @builtin(subgroup_invocation_id) subgroupLane: u32,
) {
  // #use attention/card_place
  let g = unit % params.kvHeads;
  let first = unit / params.kvHeads * TOKENS;
  if (first >= params.tokens) { return; }
  let lastKey = min(first + TOKENS, params.tokens) - 1u;
  let j = min(first + index / 4u, lastKey);
  let inside = first + index / 4u <= lastKey;
  var last = 0u; // past the last reader of any key
  for (var i = first; i <= lastKey; i++) { last = max(last, visible[i].y); }

  let groupHeads = params.heads / params.kvHeads;
  let qkWidth = (params.heads + params.kvHeads) * VECTORS;
  let qkvWidth = (params.heads + 2u * params.kvHeads) * VECTORS;
  let key = j * qkWidth + (params.heads + g) * VECTORS;
  let value = j * qkvWidth + (params.heads + params.kvHeads + g) * VECTORS;
  let end = visible[j].y;
  var k: array<vec4f, BLOCKS>;
  var v: array<vec4f, BLOCKS>;
  var dk: array<vec4f, BLOCKS>;
  var dv: array<vec4f, BLOCKS>;
  for (var b = 0u; b < BLOCKS; b++) {
    k[b] = loadKeys(key, b)[lane];
    for (var i = 0u; i < 4u; i++) {
      if (4u * b + i < VECTORS) { v[b][i] = qkv[value + 4u * b + i][lane]; }
    }
  }

  // Readers and their heads in one row: readers ascending, heads ascending.
  let pairs = (last - first) * groupHeads;
  for (var begin = 0u; begin < pairs; begin += STAGED) {
    let count = min(STAGED, pairs - begin);
    workgroupBarrier();
    for (var at = index; at < count * BLOCKS; at += 4u * TOKENS) {
      let b = at % BLOCKS;
      let n = first + (begin + at / BLOCKS) / groupHeads;
      let h = g * groupHeads + (begin + at / BLOCKS) % groupHeads;
      let queries = loadKeys(n * qkWidth + h * VECTORS, b);
      let upstream = loadUpstream((n * params.heads + h) * VECTORS, b);
      leftTile[4u * at] = queries[0];
      leftTile[4u * at + 1u] = queries[1];
      leftTile[4u * at + 2u] = queries[2];
      leftTile[4u * at + 3u] = queries[3];
      rightTile[4u * at] = upstream[0];
      rightTile[4u * at + 1u] = upstream[1];
      rightTile[4u * at + 2u] = upstream[2];
      rightTile[4u * at + 3u] = upstream[3];
    }
    if (index < count) {
      let head = (first + (begin + index) / groupHeads) * params.heads + g * groupHeads + (begin + index) % groupHeads;
      saved[index] = vec2f(lse[head], delta[head]);
    }
    workgroupBarrier();
    for (var i = 0u; i < count; i++) {
      var score = 0.0;
      var slope = 0.0;
      for (var b = 0u; b < BLOCKS; b++) {
        score = addFour(score, k[b], leftTile[4u * (i * BLOCKS + b) + lane]);
        slope = addFour(slope, v[b], rightTile[4u * (i * BLOCKS + b) + lane]);
      }
      let p = exp(params.scale * sumOfQuad(score) - saved[i].x);
      let ds = p * (sumOfQuad(slope) - saved[i].y);
      let n = first + (begin + i) / groupHeads;
      if (n < j || n >= end) { continue; }
      for (var b = 0u; b < BLOCKS; b++) {
        dk[b] = fma(vec4f(ds), leftTile[4u * (i * BLOCKS + b) + lane], dk[b]);
        dv[b] = fma(vec4f(p), rightTile[4u * (i * BLOCKS + b) + lane], dv[b]);
      }
    }
  }

  if (!inside) { return; }
  for (var b = 0u; b < BLOCKS; b++) {
    let keyGradient = dk[b] * params.scale;
    for (var i = 0u; i < 4u; i++) {
      if (4u * b + i >= VECTORS) { continue; }
      dqk[4u * (key + 4u * b + i) + lane] = keyGradient[i];
      dqkv[4u * (value + 4u * b + i) + lane] = dv[b][i];
    }
  }
}
