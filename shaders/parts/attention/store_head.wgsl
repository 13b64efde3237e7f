// Block b of the output that starts at `start`; what lies past the head's end is not stored.
fn store(start: u32, b: u32, block: mat4x4f) {
  let d = 4u * b;
  out[start + d] = block[0];
  if (d + 1u < VECTORS) { out[start + d + 1u] = block[1]; }
  if (d + 2u < VECTORS) { out[start + d + 2u] = block[2]; }
  if (d + 3u < VECTORS) { out[start + d + 3u] = block[3]; }
}
