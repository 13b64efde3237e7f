// decode_attention — attention of new tokens over the cached tokens of their sequences.
//
//   row r reads positions 0 … positions[r] of slot slots[r], its own included; their keys and values lie at
//   place(j)   = places[slots[r], j], wherever that is: slots may share places, e.g. of a common prefix
//   s[r,h,j]   = scale · Σ_d q[r,h,d] · keyCache[place(j),g,d],   g = h / (NH/NKV)
//   out[r,h,d] = Σ_j e^s[r,h,j] · valueCache[place(j),g,d] / Σ_j e^s[r,h,j]
//
// shapes  qk [R,(NH+NKV)·HS] (queries are its first NH·HS columns), keyCache and valueCache [pool, NKV·HS],
//         slots [R], positions [R] < slotLength, places [slots, slotLength] → out [R,NH·HS]
// grid    one invocation per (r, h); positions ascending
// writes  out =
// order   the arithmetic of attention_forward, operation by operation: the two agree bit for bit
// oracle  decode_attention.oracle.ts

struct Params { rows: u32, heads: u32, kvHeads: u32, slotLength: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> keyCache: array<vec4f>;
@group(0) @binding(3) var<storage, read> valueCache: array<vec4f>;
@group(0) @binding(4) var<storage, read> slots: array<u32>;
@group(0) @binding(5) var<storage, read> positions: array<u32>;
@group(0) @binding(6) var<storage, read> places: array<u32>;
@group(0) @binding(7) var<storage, read_write> out: array<vec4f>;

override WORKGROUP: u32 = 64;
// #use attention/head_blocks
const FLOOR: f32 = -1e30; // below every score, and finite

// #use attention/load_query

fn addDots(sum: vec4f, q: mat4x4f, key: u32, b: u32) -> vec4f {
  let d = 4u * b;
  let dots = fma(q[1], keyCache[key + min(d + 1u, LAST)], fma(q[0], keyCache[key + d], sum));
  return fma(q[3], keyCache[key + min(d + 3u, LAST)], fma(q[2], keyCache[key + min(d + 2u, LAST)], dots));
}

// old·keep + p·value; what lands past the head's end is never stored.
fn blend(old: mat4x4f, keep: f32, p: f32, value: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(fma(old[0], vec4f(keep), p * valueCache[value + d]),
    fma(old[1], vec4f(keep), p * valueCache[value + min(d + 1u, LAST)]),
    fma(old[2], vec4f(keep), p * valueCache[value + min(d + 2u, LAST)]),
    fma(old[3], vec4f(keep), p * valueCache[value + min(d + 3u, LAST)]));
}

// #use attention/store_head

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let r = unit / params.heads;
  let h = unit % params.heads;
  if (r >= params.rows) { return; }
  let g = h / (params.heads / params.kvHeads);
  let width = params.kvHeads * VECTORS;
  let slot = slots[r] * params.slotLength;

  let query = (r * (params.heads + params.kvHeads) + h) * VECTORS;
  var q: array<mat4x4f, 8>;
  var weighted: array<mat4x4f, 8>;
  // #use attention/load_query_blocks

  var m = FLOOR;
  var sum = 0.0;
  for (var j = 0u; j <= positions[r]; j++) {
    let key = places[slot + j] * width + g * VECTORS;
    // #use attention/online_softmax_step
    weighted[0] = blend(weighted[0], keep, p, key, 0u);
    if (BLOCKS > 1u) { weighted[1] = blend(weighted[1], keep, p, key, 1u); }
    if (BLOCKS > 2u) { weighted[2] = blend(weighted[2], keep, p, key, 2u); }
    if (BLOCKS > 3u) { weighted[3] = blend(weighted[3], keep, p, key, 3u); }
    if (BLOCKS > 4u) { weighted[4] = blend(weighted[4], keep, p, key, 4u); }
    if (BLOCKS > 5u) { weighted[5] = blend(weighted[5], keep, p, key, 5u); }
    if (BLOCKS > 6u) { weighted[6] = blend(weighted[6], keep, p, key, 6u); }
    if (BLOCKS > 7u) { weighted[7] = blend(weighted[7], keep, p, key, 7u); }
  }

  let inverse = 1.0 / sum;
  let result = unit * VECTORS;
  // #use attention/store_head_blocks
}
