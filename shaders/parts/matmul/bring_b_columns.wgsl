// B's rows lie one k after the other: as they come. All are asked for before one is put down; what lies past k counts as 0.
fn bringB(first: u32, k: u32, lane: u32) {
  var brought: array<vec4f, SHARE>;
  for (var i = 0u; i < SHARE; i++) {
    let at = lane + i * LANES * LANES;
    let depth = k + at / VECTORS;
    let column = min(first / 4u + at % VECTORS, (params.n - 1u) / 4u);
    let vector = b[min(depth, params.k - 1u) * (params.bStride / 4u) + column];
    brought[i] = select(vec4f(), vector, depth < params.k);
  }
  for (var i = 0u; i < SHARE; i++) { bTile[lane + i * LANES * LANES] = brought[i]; }
}
