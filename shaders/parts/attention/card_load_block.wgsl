// Block b of the query or key that starts at `start`, by component; zeros past the head's end.
fn loadKeys(start: u32, b: u32) -> mat4x4f {
  let inside = inHead(b);
  return transpose(mat4x4f(qk[start + 4u * b],
    select(vec4f(), qk[start + min(4u * b + 1u, LAST)], inside.y),
    select(vec4f(), qk[start + min(4u * b + 2u, LAST)], inside.z),
    select(vec4f(), qk[start + min(4u * b + 3u, LAST)], inside.w)));
}
