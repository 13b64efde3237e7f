  let index = subgroup * subgroupSize + subgroupLane;
  let lane = index % 4u; // the component that it holds
  let unit = group.x + group.y * groupCount.x;
