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
