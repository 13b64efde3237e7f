  var q: array<mat4x4f, 8>;
  var u: array<mat4x4f, 8>; // dout of this head
  var dq: array<mat4x4f, 8>;
  // #use attention/load_query_blocks.wgsl
  u[0] = loadUpstream(upstream, 0u);
  if (BLOCKS > 1u) { u[1] = loadUpstream(upstream, 1u); }
  if (BLOCKS > 2u) { u[2] = loadUpstream(upstream, 2u); }
  if (BLOCKS > 3u) { u[3] = loadUpstream(upstream, 3u); }
  if (BLOCKS > 4u) { u[4] = loadUpstream(upstream, 4u); }
  if (BLOCKS > 5u) { u[5] = loadUpstream(upstream, 5u); }
  if (BLOCKS > 6u) { u[6] = loadUpstream(upstream, 6u); }
  if (BLOCKS > 7u) { u[7] = loadUpstream(upstream, 7u); }
