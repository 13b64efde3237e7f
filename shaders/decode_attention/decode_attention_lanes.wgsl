// decode_attention_lanes — decode_attention for graphics cards: a group of lanes to a row and head.
//
//   row r reads positions 0 … positions[r] of slot slots[r], its own included; their keys and values lie at
//   place(j)   = places[slots[r], j], wherever that is: slots may share places, e.g. of a common prefix
//   s[r,h,j]   = scale · Σ_d q[r,h,d] · keyCache[place(j),g,d],   g = h / (NH/NKV)
//   out[r,h,d] = Σ_j e^s[r,h,j] · valueCache[place(j),g,d] / Σ_j e^s[r,h,j]
//
// shapes  qk [R,(NH+NKV)·HS] (queries are its first NH·HS columns), keyCache and valueCache [pool, NKV·HS],
//         slots [R], positions [R] < slotLength, places [slots, slotLength] → out [R,NH·HS]
// grid    one group per (r, h); positions ascending, KEYS at a time: a lane takes a key's score, then an element of the output
// writes  out =
// order   the arithmetic of decode_attention, operation by operation: the two agree bit for bit
// oracle  decode_attention.oracle.ts

struct Params { rows: u32, heads: u32, kvHeads: u32, slotLength: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> keyCache: array<vec4f>;
@group(0) @binding(3) var<storage, read> valueCache: array<vec4f>;
@group(0) @binding(4) var<storage, read> slots: array<u32>;
@group(0) @binding(5) var<storage, read> positions: array<u32>;
@group(0) @binding(6) var<storage, read> places: array<u32>;
@group(0) @binding(7) var<storage, read_write> out: array<f32>;

const HEAD_SIZE: u32 = 16;
const VECTORS: u32 = HEAD_SIZE / 4u;
const LANES: u32 = 64;
const KEYS = min(LANES, 2048u / HEAD_SIZE); // whose values workgroup memory holds at a time
const FLOOR: f32 = -1e30; // below every score, and finite
const_assert HEAD_SIZE % 4u == 0u && HEAD_SIZE <= 2u * LANES;

var<workgroup> query: array<vec4f, VECTORS>;
var<workgroup> starts: array<u32, KEYS>; // of keys and values in the caches
var<workgroup> scores: array<f32, KEYS>;
var<workgroup> values: array<f32, KEYS * HEAD_SIZE>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let unit = group.x + group.y * groupCount.x;
  let r = unit / params.heads;
  let h = unit % params.heads;
  if (r >= params.rows) { return; }
  let g = h / (params.heads / params.kvHeads);
  let width = params.kvHeads * VECTORS;
  let slot = slots[r] * params.slotLength;
  let end = positions[r] + 1u;
  if (lane < VECTORS) { query[lane] = qk[(r * (params.heads + params.kvHeads) + h) * VECTORS + lane]; }

  var m = FLOOR;
  var sum = 0.0;
  var near = 0.0; // elements lane and lane + LANES of the output
  var far = 0.0;
  for (var first = 0u; first < end; first += KEYS) {
    let count = min(KEYS, end - first);
    if (lane < count) { starts[lane] = places[slot + first + lane] * width + g * VECTORS; }
    workgroupBarrier();
    if (lane < count) {
      var dots = vec4f();
      for (var v = 0u; v < VECTORS; v++) { dots = fma(query[v], keyCache[starts[lane] + v], dots); }
      scores[lane] = params.scale * dot(dots, vec4f(1.0));
    }
    for (var at = lane; at < count * VECTORS; at += LANES) {
      let value = valueCache[starts[at / VECTORS] + at % VECTORS];
      values[4u * at] = value.x;
      values[4u * at + 1u] = value.y;
      values[4u * at + 2u] = value.z;
      values[4u * at + 3u] = value.w;
    }
    workgroupBarrier();
    for (var j = 0u; j < count; j++) {
      let s = scores[j];
      // One of the two factors is 1: a single exponential serves the old sum and the new term.
      let fade = exp(-abs(s - m));
      let keep = select(1.0, fade, s > m);
      let p = select(fade, 1.0, s > m);
      m = max(m, s);
      sum = fma(sum, keep, p);
      near = fma(near, keep, p * values[j * HEAD_SIZE + min(lane, HEAD_SIZE - 1u)]);
      if (HEAD_SIZE > LANES) { far = fma(far, keep, p * values[j * HEAD_SIZE + min(LANES + lane, HEAD_SIZE - 1u)]); }
    }
    workgroupBarrier();
  }
  let inverse = 1.0 / sum;
  if (lane < HEAD_SIZE) { out[unit * HEAD_SIZE + lane] = near * inverse; }
  if (LANES + lane < HEAD_SIZE) { out[unit * HEAD_SIZE + LANES + lane] = far * inverse; }
}
