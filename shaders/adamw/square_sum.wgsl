// square_sum — sum of squares of each block of gradients, first half of the global norm.
//
//   partial[b] = Σ_{i in block b} gradients[i]²,   block b = BLOCK elements from b·BLOCK
//
// One invocation adds one block in a fixed order: no barrier, and the same result on every run.
//
// shapes  gradients [length] f32 → partial [⌈length / BLOCK⌉]
// grid    one invocation per block, WORKGROUP a group, folded over x and y
// writes  partial =
// oracle  adamw.oracle.ts

struct Params { length: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

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
  for (var q = start / 4u; q < whole; q++) { sum += gradients[q] * gradients[q]; }
  if (end % 4u != 0u) {
    let inside = vec4u(0u, 1u, 2u, 3u) < vec4u(end % 4u);
    let last = select(vec4f(), gradients[whole], inside);
    sum += last * last;
  }
  partial[block] = (sum.x + sum.y) + (sum.z + sum.w);
}
