  // Key j of key head g, its value, and their gradients.
  let groupHeads = params.heads / params.kvHeads;
  let qkWidth = (params.heads + params.kvHeads) * VECTORS;
  let qkvWidth = (params.heads + 2u * params.kvHeads) * VECTORS;
  let key = j * qkWidth + (params.heads + g) * VECTORS;
  let value = j * qkvWidth + (params.heads + params.kvHeads + g) * VECTORS;

  var k: array<mat4x4f, 8>;
  var v: array<mat4x4f, 8>;
  var dk: array<mat4x4f, 8>;
  var dv: array<mat4x4f, 8>;
  k[0] = loadKey(key, 0u);
  if (BLOCKS > 1u) { k[1] = loadKey(key, 1u); }
  if (BLOCKS > 2u) { k[2] = loadKey(key, 2u); }
  if (BLOCKS > 3u) { k[3] = loadKey(key, 3u); }
  if (BLOCKS > 4u) { k[4] = loadKey(key, 4u); }
  if (BLOCKS > 5u) { k[5] = loadKey(key, 5u); }
  if (BLOCKS > 6u) { k[6] = loadKey(key, 6u); }
  if (BLOCKS > 7u) { k[7] = loadKey(key, 7u); }
  v[0] = loadValue(value, 0u);
  if (BLOCKS > 1u) { v[1] = loadValue(value, 1u); }
  if (BLOCKS > 2u) { v[2] = loadValue(value, 2u); }
  if (BLOCKS > 3u) { v[3] = loadValue(value, 3u); }
  if (BLOCKS > 4u) { v[4] = loadValue(value, 4u); }
  if (BLOCKS > 5u) { v[5] = loadValue(value, 5u); }
  if (BLOCKS > 6u) { v[6] = loadValue(value, 6u); }
  if (BLOCKS > 7u) { v[7] = loadValue(value, 7u); }
