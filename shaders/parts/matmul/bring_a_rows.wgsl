// A's rows lie along k: a lane takes four of them, four k long, and turns them over. What lies past k counts as 0.
fn bringA(first: u32, k: u32, lane: u32) {
  for (var block = lane; block < DEPTH * VECTORS / 4u; block += LANES * LANES) {
    let place = block % VECTORS;
    let depth = 4u * (block / VECTORS);
    let at = (k + depth) / 4u;
    let inside = vec4u(k + depth) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.k);
    let row = first + 4u * place;
    let last = params.m - 1u;
    let step = params.aStride / 4u;
    let v0 = select(vec4f(), a[min(row + 0u, last) * step + at], inside);
    let v1 = select(vec4f(), a[min(row + 1u, last) * step + at], inside);
    let v2 = select(vec4f(), a[min(row + 2u, last) * step + at], inside);
    let v3 = select(vec4f(), a[min(row + 3u, last) * step + at], inside);
    aTile[(depth + 0u) * VECTORS + place] = vec4f(v0.x, v1.x, v2.x, v3.x);
    aTile[(depth + 1u) * VECTORS + place] = vec4f(v0.y, v1.y, v2.y, v3.y);
    aTile[(depth + 2u) * VECTORS + place] = vec4f(v0.z, v1.z, v2.z, v3.z);
    aTile[(depth + 3u) * VECTORS + place] = vec4f(v0.w, v1.w, v2.w, v3.w);
  }
}
