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
