    // Keys and values from j on, and how far each is read.
    let count = min(STAGED, last + 1u - j);
    workgroupBarrier();
    for (var at = index; at < count * BLOCKS; at += 4u * TOKENS) {
      let b = at % BLOCKS;
      let token = j + at / BLOCKS;
      let keys = loadKeys(token * qkWidth + keyColumn, b);
      let values = loadValues(token * qkvWidth + valueColumn, b);
      leftTile[4u * at] = keys[0];
      leftTile[4u * at + 1u] = keys[1];
      leftTile[4u * at + 2u] = keys[2];
      leftTile[4u * at + 3u] = keys[3];
      rightTile[4u * at] = values[0];
      rightTile[4u * at + 1u] = values[1];
      rightTile[4u * at + 2u] = values[2];
      rightTile[4u * at + 3u] = values[3];
    }
    if (index < count) { ends[index] = visible[j + index].y; }
    workgroupBarrier();
