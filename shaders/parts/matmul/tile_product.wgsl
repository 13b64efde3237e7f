  // Stage by stage of k; s and t are the lane's blocks of columns, upper and lower ones of rows.
  let row = group.y * SIDE;
  let column = group.x * SIDE;
  var s0: Block;
  var s1: Block;
  var t0: Block;
  var t1: Block;
  for (var k = 0u; k < params.k; k += DEPTH) {
    bringA(row, k, lane);
    bringB(column, k, lane);
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let rows = aTile[d * VECTORS + local.y];
      let columns = bTile[d * VECTORS + local.x];
      add(&s0, rows, columns);
      if (BLOCKS > 1u) {
        let lowerRows = aTile[d * VECTORS + LANES + local.y];
        let laterColumns = bTile[d * VECTORS + LANES + local.x];
        add(&s1, rows, laterColumns);
        add(&t0, lowerRows, columns);
        add(&t1, lowerRows, laterColumns);
      }
    }
    workgroupBarrier();
  }
  storeBlock(row + 4u * local.y, column + 4u * local.x, s0);
  if (BLOCKS > 1u) {
    storeBlock(row + 4u * local.y, column + 4u * (LANES + local.x), s1);
    storeBlock(row + 4u * (LANES + local.y), column + 4u * local.x, t0);
    storeBlock(row + 4u * (LANES + local.y), column + 4u * (LANES + local.x), t1);
  }
