// kv_append — stores the rotated keys and the values of new tokens at their places in the cache.
//
//   place = places[slots[r], positions[r]]
//   keyCache[place, :]   = qk[r,  NH·HS … (NH+NKV)·HS]
//   valueCache[place, :] = qkv[r, (NH+NKV)·HS … (NH+2NKV)·HS]
//
// shapes  qk [R,(NH+NKV)·HS], qkv [R,(NH+2NKV)·HS], slots [R], positions [R], places [slots, slotLength]
//         → keyCache and valueCache [pool, NKV·HS]
// grid    one invocation per (r, four columns)
// writes  keyCache = , valueCache =  at these places, which differ; a position past slotLength is dropped
// oracle  kv_cache.oracle.ts

struct Params { rows: u32, heads: u32, kvHeads: u32, headSize: u32, slotLength: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qk: array<vec4f>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> slots: array<u32>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;
@group(0) @binding(5) var<storage, read> places: array<u32>;
@group(0) @binding(6) var<storage, read_write> keyCache: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> valueCache: array<vec4f>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let headVectors = params.headSize / 4u;
  let width = params.kvHeads * headVectors;
  let queryWidth = params.heads * headVectors;
  let r = unit / width;
  let c = unit % width;
  if (r >= params.rows) { return; }
  let position = positions[r];
  if (position >= params.slotLength) { return; }
  let entry = places[slots[r] * params.slotLength + position] * width + c;
  keyCache[entry] = qk[r * (queryWidth + width) + queryWidth + c];
  valueCache[entry] = qkv[r * (queryWidth + 2u * width) + queryWidth + width + c];
}
