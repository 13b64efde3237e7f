  // Keys that any token of the subgroup may read.
  let start = visible[n].x;
  let first = subgroupMin(select(params.tokens, start, inside));
  let least = subgroupMin(n);
  let last = subgroupMax(select(0u, n, inside));
