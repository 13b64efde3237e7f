// dot_product — inner product of each block of two vectors, first half of a cosine.
//
//   partial[b] = Σ_{i in block b} left[i]·right[i],   block b = BLOCK elements from b·BLOCK
//
// One invocation adds one block in a fixed order: no barrier, and the same result on every run. The host adds the
// partial sums in float64.
//
// shapes  left, right [length] f32, padded to whole vec4f → partial [⌈length / BLOCK⌉]
// grid    one invocation per block, WORKGROUP a group, folded over x and y
// writes  partial =
// oracle  sums.oracle.ts

struct Params { length: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<vec4f>;
@group(0) @binding(2) var<storage, read> right: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;

override WORKGROUP: u32 = 64;
override BLOCK: u32 = 256; // elements, a multiple of 4

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = (group.x + group.y * groupCount.x) * WORKGROUP + lane;
  let start = block * BLOCK;
  if (start >= params.length) { return; }
  let end = min(start + BLOCK, params.length);
  let whole = end / 4u;
  var sum = vec4f();
  for (var q = start / 4u; q < whole; q++) { sum += left[q] * right[q]; }
  if (end % 4u != 0u) {
    let inside = vec4u(0u, 1u, 2u, 3u) < vec4u(end % 4u);
    sum += select(vec4f(), left[whole] * right[whole], inside);
  }
  partial[block] = (sum.x + sum.y) + (sum.z + sum.w);
}
