// What the backward kernels of attention share: a query's gradient, a key's and a value's.

// #part attention/query_gradient
// #use attention/load_query

// Block b of the gradient dout that starts at `start`; zeros past the head's end.
fn loadUpstream(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(dout[start + d],
    select(vec4f(), dout[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), dout[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), dout[start + min(d + 3u, LAST)], d + 3u < VECTORS));
}

// Block b of the query's gradient that starts at `start`; what lies past the head's end is not stored.
fn storeQueryGradient(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  dqk[start + d] = block[0];
  if (d + 1u < VECTORS) { dqk[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { dqk[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { dqk[start + d + 3u] = block[3]; }
}

// Σ_d dout·out of a head.
fn headDelta(start: u32) -> f32 {
  var sums = vec4f();
  for (var d = 0u; d < VECTORS; d++) { sums = fma(dout[start + d], out[start + d], sums); }
  return dot(sums, vec4f(1.0));
}

// #part attention/query_gradient_load
  var q: array<mat4x4f, 8>;
  var u: array<mat4x4f, 8>; // dout of this head
  var dq: array<mat4x4f, 8>;
  // #use attention/load_query_blocks
  u[0] = loadUpstream(upstream, 0u);
  if (BLOCKS > 1u) { u[1] = loadUpstream(upstream, 1u); }
  if (BLOCKS > 2u) { u[2] = loadUpstream(upstream, 2u); }
  if (BLOCKS > 3u) { u[3] = loadUpstream(upstream, 3u); }
  if (BLOCKS > 4u) { u[4] = loadUpstream(upstream, 4u); }
  if (BLOCKS > 5u) { u[5] = loadUpstream(upstream, 5u); }
  if (BLOCKS > 6u) { u[6] = loadUpstream(upstream, 6u); }
  if (BLOCKS > 7u) { u[7] = loadUpstream(upstream, 7u); }

// #part attention/query_gradient_store
  storeQueryGradient(query, 0u, dq[0] * params.scale);
  if (BLOCKS > 1u) { storeQueryGradient(query, 1u, dq[1] * params.scale); }
  if (BLOCKS > 2u) { storeQueryGradient(query, 2u, dq[2] * params.scale); }
  if (BLOCKS > 3u) { storeQueryGradient(query, 3u, dq[3] * params.scale); }
  if (BLOCKS > 4u) { storeQueryGradient(query, 4u, dq[4] * params.scale); }
  if (BLOCKS > 5u) { storeQueryGradient(query, 5u, dq[5] * params.scale); }
  if (BLOCKS > 6u) { storeQueryGradient(query, 6u, dq[6] * params.scale); }
  if (BLOCKS > 7u) { storeQueryGradient(query, 7u, dq[7] * params.scale); }

// #part attention/key_value_gradient
// Block b of the key that starts at `start`; zeros past the head's end.
fn loadKey(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(qk[start + d],
    select(vec4f(), qk[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), qk[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), qk[start + min(d + 3u, LAST)], d + 3u < VECTORS));
}

// The same of a value.
fn loadValue(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(qkv[start + d],
    select(vec4f(), qkv[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), qkv[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), qkv[start + min(d + 3u, LAST)], d + 3u < VECTORS));
}

// Block b of the gradients that start at `start`; what lies past the head's end is not stored.
fn storeKeyGradient(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  dqk[start + d] = block[0];
  if (d + 1u < VECTORS) { dqk[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { dqk[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { dqk[start + d + 3u] = block[3]; }
}

fn storeValueGradient(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  dqkv[start + d] = block[0];
  if (d + 1u < VECTORS) { dqkv[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { dqkv[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { dqkv[start + d + 3u] = block[3]; }
}

// #part attention/key_value_gradient_load
  // Key j of key head g, its value, and their gradients.
  let groupHeads = params.heads / params.kvHeads;
  let qkWidth = (params.heads + params.kvHeads) * VECTORS;
  let qkvWidth = (params.heads + 2u * params.kvHeads) * VECTORS;
  let key = j * qkWidth + (params.heads + g) * VECTORS;
  let value = j * qkvWidth + (params.heads + params.kvHeads + g) * VECTORS;

  var k: array<mat4x4f, 8>;
  var v: array<mat4x4f, 8>;
  var dk: array<mat4x4f, 8>;
  var dv: array<mat4x4f, 8>;
  k[0] = loadKey(key, 0u);
  if (BLOCKS > 1u) { k[1] = loadKey(key, 1u); }
  if (BLOCKS > 2u) { k[2] = loadKey(key, 2u); }
  if (BLOCKS > 3u) { k[3] = loadKey(key, 3u); }
  if (BLOCKS > 4u) { k[4] = loadKey(key, 4u); }
  if (BLOCKS > 5u) { k[5] = loadKey(key, 5u); }
  if (BLOCKS > 6u) { k[6] = loadKey(key, 6u); }
  if (BLOCKS > 7u) { k[7] = loadKey(key, 7u); }
  v[0] = loadValue(value, 0u);
  if (BLOCKS > 1u) { v[1] = loadValue(value, 1u); }
  if (BLOCKS > 2u) { v[2] = loadValue(value, 2u); }
  if (BLOCKS > 3u) { v[3] = loadValue(value, 3u); }
  if (BLOCKS > 4u) { v[4] = loadValue(value, 4u); }
  if (BLOCKS > 5u) { v[5] = loadValue(value, 5u); }
  if (BLOCKS > 6u) { v[6] = loadValue(value, 6u); }
  if (BLOCKS > 7u) { v[7] = loadValue(value, 7u); }

// #part attention/key_value_gradient_store
  storeKeyGradient(key, 0u, dk[0] * params.scale);
  if (BLOCKS > 1u) { storeKeyGradient(key, 1u, dk[1] * params.scale); }
  if (BLOCKS > 2u) { storeKeyGradient(key, 2u, dk[2] * params.scale); }
  if (BLOCKS > 3u) { storeKeyGradient(key, 3u, dk[3] * params.scale); }
  if (BLOCKS > 4u) { storeKeyGradient(key, 4u, dk[4] * params.scale); }
  if (BLOCKS > 5u) { storeKeyGradient(key, 5u, dk[5] * params.scale); }
  if (BLOCKS > 6u) { storeKeyGradient(key, 6u, dk[6] * params.scale); }
  if (BLOCKS > 7u) { storeKeyGradient(key, 7u, dk[7] * params.scale); }
  storeValueGradient(value, 0u, dv[0]);
  if (BLOCKS > 1u) { storeValueGradient(value, 1u, dv[1]); }
  if (BLOCKS > 2u) { storeValueGradient(value, 2u, dv[2]); }
  if (BLOCKS > 3u) { storeValueGradient(value, 3u, dv[3]); }
  if (BLOCKS > 4u) { storeValueGradient(value, 4u, dv[4]); }
  if (BLOCKS > 5u) { storeValueGradient(value, 5u, dv[5]); }
  if (BLOCKS > 6u) { storeValueGradient(value, 6u, dv[6]); }
  if (BLOCKS > 7u) { storeValueGradient(value, 7u, dv[7]); }
