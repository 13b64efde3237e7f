// Constants, since software adapters run both sides of a branch.
const ACCUMULATE: u32 = 0u;
const RAGGED: u32 = 1u; // 0 promises that n is a multiple of 4

// Four columns of a row of c; columns from n on are padding and stay as they are.
fn store(row: u32, column: u32, sum: vec4f) {
  if (row >= params.m || column >= params.n) { return; }
  let at = (row * params.cStride + column) / 4u;
  var value = params.scale * sum;
  if (ACCUMULATE != 0u) { value += c[at]; }
  let width = params.n - column;
  if (RAGGED == 0u || width >= 4u) {
    c[at] = value;
    return;
  }
  c[at].x = value.x;
  if (width > 1u) { c[at].y = value.y; }
  if (width > 2u) { c[at].z = value.z; }
}
