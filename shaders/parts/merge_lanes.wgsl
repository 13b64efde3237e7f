var<workgroup> lanes: array<Part, LANES * ROWS>;

// Merges the parts of a row that its lanes hold. Every invocation calls it: the barriers sit in uniform control flow.
fn mergeLanes(mine: Part, place: u32, lane: u32) -> Part {
  lanes[place] = mine;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { lanes[place] = merge(lanes[place], lanes[place + half]); }
  }
  return lanes[place];
}
