// #use attention/load_query.wgsl

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
