  q[0] = loadQuery(query, 0u);
  if (BLOCKS > 1u) { q[1] = loadQuery(query, 1u); }
  if (BLOCKS > 2u) { q[2] = loadQuery(query, 2u); }
  if (BLOCKS > 3u) { q[3] = loadQuery(query, 3u); }
  if (BLOCKS > 4u) { q[4] = loadQuery(query, 4u); }
  if (BLOCKS > 5u) { q[5] = loadQuery(query, 5u); }
  if (BLOCKS > 6u) { q[6] = loadQuery(query, 6u); }
  if (BLOCKS > 7u) { q[7] = loadQuery(query, 7u); }
