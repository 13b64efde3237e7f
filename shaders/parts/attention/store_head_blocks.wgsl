  store(result, 0u, weighted[0] * inverse);
  if (BLOCKS > 1u) { store(result, 1u, weighted[1] * inverse); }
  if (BLOCKS > 2u) { store(result, 2u, weighted[2] * inverse); }
  if (BLOCKS > 3u) { store(result, 3u, weighted[3] * inverse); }
  if (BLOCKS > 4u) { store(result, 4u, weighted[4] * inverse); }
  if (BLOCKS > 5u) { store(result, 5u, weighted[5] * inverse); }
  if (BLOCKS > 6u) { store(result, 6u, weighted[6] * inverse); }
  if (BLOCKS > 7u) { store(result, 7u, weighted[7] * inverse); }
