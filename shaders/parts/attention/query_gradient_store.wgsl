  storeQueryGradient(query, 0u, dq[0] * params.scale);
  if (BLOCKS > 1u) { storeQueryGradient(query, 1u, dq[1] * params.scale); }
  if (BLOCKS > 2u) { storeQueryGradient(query, 2u, dq[2] * params.scale); }
  if (BLOCKS > 3u) { storeQueryGradient(query, 3u, dq[3] * params.scale); }
  if (BLOCKS > 4u) { storeQueryGradient(query, 4u, dq[4] * params.scale); }
  if (BLOCKS > 5u) { storeQueryGradient(query, 5u, dq[5] * params.scale); }
  if (BLOCKS > 6u) { storeQueryGradient(query, 6u, dq[6] * params.scale); }
  if (BLOCKS > 7u) { storeQueryGradient(query, 7u, dq[7] * params.scale); }
