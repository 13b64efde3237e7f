  // Where the tile's rows of a start; past the edge the last one again.
  let r0 = min(row + 0u, params.m - 1u) * params.aStride;
  let r1 = min(row + 1u, params.m - 1u) * params.aStride;
  let r2 = min(row + 2u, params.m - 1u) * params.aStride;
  let r3 = min(row + 3u, params.m - 1u) * params.aStride;
  let r4 = min(row + 4u, params.m - 1u) * params.aStride;
  let r5 = min(row + 5u, params.m - 1u) * params.aStride;
  let r6 = min(row + 6u, params.m - 1u) * params.aStride;
  let r7 = min(row + 7u, params.m - 1u) * params.aStride;
