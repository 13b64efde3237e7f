// What attention's kernels with subgroups share: quads, and the lanes of the kernels made for graphics cards.

// #part attention/quad_unit
  let lane = subgroupLane % 4u;
  let quad = (subgroup * subgroupSize + subgroupLane) / 4u;
  let unit = (group.x + group.y * groupCount.x) * QUADS + quad;

// #part attention/quad_tokens
  // The lane's token and head. A lane past the last token computes that one again, and stores nothing.
  let h = unit % params.heads;
  let wanted = unit / params.heads * 4u + lane;
  let inside = wanted < params.tokens;
  let n = min(wanted, params.tokens - 1u);

// #part attention/quad_products
// Four vectors that the lanes of a quad loaded one each, for all of them.
fn shared4(mine: vec4f) -> mat4x4f {
  return mat4x4f(quadBroadcast(mine, 0u), quadBroadcast(mine, 1u), quadBroadcast(mine, 2u), quadBroadcast(mine, 3u));
}

fn addDots(sum: vec4f, x: mat4x4f, y: mat4x4f) -> vec4f {
  return fma(x[3], y[3], fma(x[2], y[2], fma(x[1], y[1], fma(x[0], y[0], sum))));
}

// sum + factor·x; what lands past the head's end is never stored.
fn addScaled(sum: mat4x4f, factor: f32, x: mat4x4f) -> mat4x4f {
  let f = vec4f(factor);
  return mat4x4f(fma(f, x[0], sum[0]), fma(f, x[1], sum[1]), fma(f, x[2], sum[2]), fma(f, x[3], sum[3]));
}

// #part attention/subgroup_keys
  // Keys that any token of the subgroup may read.
  let start = visible[n].x;
  let first = subgroupMin(select(params.tokens, start, inside));
  let least = subgroupMin(n);
  let last = subgroupMax(select(0u, n, inside));

// #part attention/next_key_of_subgroup
// The first key from `start` on that is not in a subtree without any of the subgroup's tokens, or a number past `last`. A
// loop of its own, beside the sums: SwiftShader would carry them through every way round the loop that they are in.
fn nextKey(start: u32, least: u32, last: u32) -> u32 {
  var j = start;
  while (j <= last && visible[j].y <= least) { j = max(visible[j].y, j + 1u); } // always onwards, whatever the buffer holds
  return j;
}

// #part attention/card_lanes
// #use attention/head_blocks

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

// #part attention/card_place
  let index = subgroup * subgroupSize + subgroupLane;
  let lane = index % 4u; // the component that it holds
  let unit = group.x + group.y * groupCount.x;

// #part attention/card_query_place
  // The quad's token, and the head of the group. A quad past the last token computes that one again, and stores nothing.
  let h = unit % params.heads;
  let least = unit / params.heads * TOKENS;
  if (least >= params.tokens) { return; }
  let last = min(least + TOKENS, params.tokens) - 1u;
  let n = min(least + index / 4u, last);
  let inside = least + index / 4u <= last;
  let start = visible[n].x;
  var first = visible[least].x;
  for (var i = least + 1u; i <= last; i++) { first = min(first, visible[i].x); }

// #part attention/card_load_block
// Block b of the query or key that starts at `start`, by component; zeros past the head's end.
fn loadKeys(start: u32, b: u32) -> mat4x4f {
  let inside = inHead(b);
  return transpose(mat4x4f(qk[start + 4u * b],
    select(vec4f(), qk[start + min(4u * b + 1u, LAST)], inside.y),
    select(vec4f(), qk[start + min(4u * b + 2u, LAST)], inside.z),
    select(vec4f(), qk[start + min(4u * b + 3u, LAST)], inside.w)));
}

// #part attention/card_load_keys
var<workgroup> ends: array<u32, STAGED>;

// #use attention/card_load_block

// The same of a value.
fn loadValues(start: u32, b: u32) -> mat4x4f {
  let inside = inHead(b);
  return transpose(mat4x4f(qkv[start + 4u * b],
    select(vec4f(), qkv[start + min(4u * b + 1u, LAST)], inside.y),
    select(vec4f(), qkv[start + min(4u * b + 2u, LAST)], inside.z),
    select(vec4f(), qkv[start + min(4u * b + 3u, LAST)], inside.w)));
}

// #use attention/next_key_of_subgroup

// #part attention/card_bring_keys
    // Keys and values from j on, and how far each is read.
    let count = min(STAGED, last + 1u - j);
    workgroupBarrier();
    for (var at = index; at < count * BLOCKS; at += 4u * TOKENS) {
      let b = at % BLOCKS;
      let token = j + at / BLOCKS;
      let keys = loadKeys(token * qkWidth + keyColumn, b);
      let values = loadValues(token * qkvWidth + valueColumn, b);
      leftTile[4u * at] = keys[0];
      leftTile[4u * at + 1u] = keys[1];
      leftTile[4u * at + 2u] = keys[2];
      leftTile[4u * at + 3u] = keys[3];
      rightTile[4u * at] = values[0];
      rightTile[4u * at + 1u] = values[1];
      rightTile[4u * at + 2u] = values[2];
      rightTile[4u * at + 3u] = values[3];
    }
    if (index < count) { ends[index] = visible[j + index].y; }
    workgroupBarrier();
