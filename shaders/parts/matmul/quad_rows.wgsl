  // Lanes 0 1 / 2 3 of a quad lie as their tiles do. Of its eight rows a lane owns four, its neighbour to the side the others.
  let quad = (subgroup * subgroupSize + lane) / 4u;
  let right = lane % 2u;
  let lower = lane / 2u % 2u;
  let row = ((group.y * QUADS_Y + quad / QUADS_X) * 2u + lower) * 8u;
  let ownRow = row + 4u * right;
  let otherRow = row + 4u * (1u - right);
