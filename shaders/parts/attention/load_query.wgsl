// Block b of the query that starts at `start`; zeros past the head's end.
fn loadQuery(start: u32, b: u32) -> mat4x4f {
  let d = 4u * b;
  return mat4x4f(qk[start + d],
    select(vec4f(), qk[start + min(d + 1u, LAST)], d + 1u < VECTORS),
    select(vec4f(), qk[start + min(d + 2u, LAST)], d + 2u < VECTORS),
    select(vec4f(), qk[start + min(d + 3u, LAST)], d + 3u < VECTORS));
}
