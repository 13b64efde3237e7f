// What the attention kernels share of a head: where it lies, its blocks of four vectors, the keys that a token reads, the step
// of the online softmax.

// #part attention/head_blocks
const HEAD_SIZE: u32 = 16;
const VECTORS: u32 = HEAD_SIZE / 4u;
const LAST: u32 = VECTORS - 1u;
// A head is up to 8 blocks of four vectors. Constant block numbers keep them in registers: an array
// indexed by a loop variable is memory, and the kernel takes 2 to 3 times as long on SwiftShader.
const BLOCKS: u32 = (VECTORS + 3u) / 4u;
const_assert HEAD_SIZE % 4u == 0u && BLOCKS <= 8u;

// #part attention/head_columns
  let g = h / (params.heads / params.kvHeads);
  let qkWidth = (params.heads + params.kvHeads) * VECTORS;
  let qkvWidth = (params.heads + 2u * params.kvHeads) * VECTORS;
  let keyColumn = (params.heads + g) * VECTORS;
  let valueColumn = (params.heads + params.kvHeads + g) * VECTORS;

// #part attention/load_query
// Block b of the query that starts at `start`; zeros past the head's end.
fn loadQuery(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(qk[start + d],
    select(vec4f(), qk[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), qk[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), qk[start + min(d + 3u, LAST)], d + 3u < VECTORS));
}

// #part attention/load_query_blocks
  q[0] = loadQuery(query, 0u);
  if (BLOCKS > 1u) { q[1] = loadQuery(query, 1u); }
  if (BLOCKS > 2u) { q[2] = loadQuery(query, 2u); }
  if (BLOCKS > 3u) { q[3] = loadQuery(query, 3u); }
  if (BLOCKS > 4u) { q[4] = loadQuery(query, 4u); }
  if (BLOCKS > 5u) { q[5] = loadQuery(query, 5u); }
  if (BLOCKS > 6u) { q[6] = loadQuery(query, 6u); }
  if (BLOCKS > 7u) { q[7] = loadQuery(query, 7u); }

// #part attention/store_head
// Block b of the output that starts at `start`; what lies past the head's end is not stored.
fn store(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  out[start + d] = block[0];
  if (d + 1u < VECTORS) { out[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { out[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { out[start + d + 3u] = block[3]; }
}

// #part attention/store_head_blocks
  store(result, 0u, weighted[0] * inverse);
  if (BLOCKS > 1u) { store(result, 1u, weighted[1] * inverse); }
  if (BLOCKS > 2u) { store(result, 2u, weighted[2] * inverse); }
  if (BLOCKS > 3u) { store(result, 3u, weighted[3] * inverse); }
  if (BLOCKS > 4u) { store(result, 4u, weighted[4] * inverse); }
  if (BLOCKS > 5u) { store(result, 5u, weighted[5] * inverse); }
  if (BLOCKS > 6u) { store(result, 6u, weighted[6] * inverse); }
  if (BLOCKS > 7u) { store(result, 7u, weighted[7] * inverse); }

// #part attention/next_key
// The first key from `start` on that query n reads, or a number past n: subtrees without n are jumped over.
fn nextKey(start: u32, n: u32) -> u32 {
  var j = start;
  while (j <= n && visible[j].y <= n) { j = max(visible[j].y, j + 1u); } // always onwards, whatever the buffer holds
  return j;
}

// #part attention/online_softmax_step
    // The key's score s and its share p; what was summed before is kept by the factor `keep`.
    var dots = addDots(vec4f(), q[0], key, 0u);
    if (BLOCKS > 1u) { dots = addDots(dots, q[1], key, 1u); }
    if (BLOCKS > 2u) { dots = addDots(dots, q[2], key, 2u); }
    if (BLOCKS > 3u) { dots = addDots(dots, q[3], key, 3u); }
    if (BLOCKS > 4u) { dots = addDots(dots, q[4], key, 4u); }
    if (BLOCKS > 5u) { dots = addDots(dots, q[5], key, 5u); }
    if (BLOCKS > 6u) { dots = addDots(dots, q[6], key, 6u); }
    if (BLOCKS > 7u) { dots = addDots(dots, q[7], key, 7u); }
    let s = params.scale * dot(dots, vec4f(1.0));

    // One of the two factors is 1: a single exponential serves the old sum and the new term.
    let fade = exp(-abs(s - m));
    let keep = select(1.0, fade, s > m);
    let p = select(fade, 1.0, s > m);
    m = max(m, s);
    sum = fma(sum, keep, p);
