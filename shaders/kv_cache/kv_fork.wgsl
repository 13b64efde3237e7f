// kv_fork — copies cached prefixes from slot to slot, where a rollout branches.
//
//   (source, destination, length, _) = forks[p]
//   keyCache[destination, 0…length, :] = keyCache[source, 0…length, :], and the same of valueCache
//
// longest is the greatest length, so that the grid covers no more of the slots than is copied
//
// shapes  forks [pairs] × 4, keyCache and valueCache [slots, slotLength, width];  width a multiple of 4
// grid    one invocation per (p, position < longest, four columns)
// writes  keyCache = , valueCache =  in place: no slot may be source and destination in one dispatch
// oracle  kv_cache.oracle.ts

struct Params { pairs: u32, slotLength: u32, width: u32, longest: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> forks: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> keyCache: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> valueCache: array<vec4f>;

override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let width = params.width / 4u;
  let slotVectors = params.slotLength * width;
  let copiedVectors = params.longest * width;
  let p = unit / copiedVectors;
  let place = unit % copiedVectors;
  if (p >= params.pairs) { return; }
  let fork = forks[p];
  if (place >= fork.z * width) { return; }
  keyCache[fork.y * slotVectors + place] = keyCache[fork.x * slotVectors + place];
  valueCache[fork.y * slotVectors + place] = valueCache[fork.x * slotVectors + place];
}
