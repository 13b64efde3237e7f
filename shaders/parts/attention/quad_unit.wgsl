  let lane = subgroupLane % 4u;
  let quad = (subgroup * subgroupSize + subgroupLane) / 4u;
  let unit = (group.x + group.y * groupCount.x) * QUADS + quad;
