  storeKeyGradient(key, 0u, dk[0] * params.scale);
  if (BLOCKS > 1u) { storeKeyGradient(key, 1u, dk[1] * params.scale); }
  if (BLOCKS > 2u) { storeKeyGradient(key, 2u, dk[2] * params.scale); }
  if (BLOCKS > 3u) { storeKeyGradient(key, 3u, dk[3] * params.scale); }
  if (BLOCKS > 4u) { storeKeyGradient(key, 4u, dk[4] * params.scale); }
  if (BLOCKS > 5u) { storeKeyGradient(key, 5u, dk[5] * params.scale); }
  if (BLOCKS > 6u) { storeKeyGradient(key, 6u, dk[6] * params.scale); }
  if (BLOCKS > 7u) { storeKeyGradient(key, 7u, dk[7] * params.scale); }
  storeValueGradient(value, 0u, dv[0]);
  if (BLOCKS > 1u) { storeValueGradient(value, 1u, dv[1]); }
  if (BLOCKS > 2u) { storeValueGradient(value, 2u, dv[2]); }
  if (BLOCKS > 3u) { storeValueGradient(value, 3u, dv[3]); }
  if (BLOCKS > 4u) { storeValueGradient(value, 4u, dv[4]); }
  if (BLOCKS > 5u) { storeValueGradient(value, 5u, dv[5]); }
  if (BLOCKS > 6u) { storeValueGradient(value, 6u, dv[6]); }
  if (BLOCKS > 7u) { storeValueGradient(value, 7u, dv[7]); }
