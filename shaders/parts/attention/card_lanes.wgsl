// #use attention/head_blocks.wgsl

// Four lanes of a quad share a token's head: each holds one of the four components of all its vectors, so that a head of 64
// is 16 numbers a lane. A group is 16 tokens of one head.
const TOKENS = 16u;
const STAGED = min(32u, 1024u / HEAD_SIZE); // tokens that workgroup memory holds at a time

// Four vectors turned over: [token, block, component], the four numbers of a lane in one vector.
var<workgroup> leftTile: array<vec4f, STAGED * BLOCKS * 4u>;
var<workgroup> rightTile: array<vec4f, STAGED * BLOCKS * 4u>;

// Σ over the head of x·y in the order of the other kernels: each component in ascending vectors, then the four of them.
fn sumOfQuad(own: f32) -> f32 {
  let four = vec4f(quadBroadcast(own, 0u), quadBroadcast(own, 1u), quadBroadcast(own, 2u), quadBroadcast(own, 3u));
  return dot(four, vec4f(1.0));
}

fn addFour(sum: f32, x: vec4f, y: vec4f) -> f32 {
  return fma(x.w, y.w, fma(x.z, y.z, fma(x.y, y.y, fma(x.x, y.x, sum))));
}

// Which of the four vectors of a block lie in the head.
fn inHead(b: u32) -> vec4<bool> {
  return vec4u(4u * b) + vec4u(0u, 1u, 2u, 3u) < vec4u(VECTORS);
}
