  // #use matmul/quad_rows.wgsl
  let column = ((group.x * QUADS_X + quad % QUADS_X) * 2u + right) * 8u;
  let ownColumn = column + 4u * lower;
  let otherColumn = column + 4u * (1u - lower);
  var p: Tile; // own columns
  var q: Tile; // the other columns
