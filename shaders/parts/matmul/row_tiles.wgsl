const DEPTH = 128u; // k that workgroup memory holds at a time
const STEP = DEPTH / 4u + 1u; // vectors from row to row, so that rows do not meet in one bank
const SHARE = 8u * DEPTH / 4u / 64u; // vectors that a lane brings of eight rows

// The row of eight, and the vector along k, of the i-th vector that a lane brings.
fn placeIn(lane: u32, i: u32) -> vec2u {
  let at = lane + 64u * i;
  return vec2u(at / (DEPTH / 4u), at % (DEPTH / 4u));
}

// Four terms in ascending k, one by one.
fn addFour(sum: f32, x: vec4f, y: vec4f) -> f32 {
  return fma(x.w, y.w, fma(x.z, y.z, fma(x.y, y.y, fma(x.x, y.x, sum))));
}
