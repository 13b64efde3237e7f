var<workgroup> ends: array<u32, STAGED>;

// #use attention/card_load_block.wgsl

// The same of a value.
fn loadValues(start: u32, b: u32) -> mat4x4f {
  let inside = inHead(b);
  return transpose(mat4x4f(qkv[start + 4u * b],
    select(vec4f(), qkv[start + min(4u * b + 1u, LAST)], inside.y),
    select(vec4f(), qkv[start + min(4u * b + 2u, LAST)], inside.z),
    select(vec4f(), qkv[start + min(4u * b + 3u, LAST)], inside.w)));
}

// #use attention/next_key_of_subgroup.wgsl
