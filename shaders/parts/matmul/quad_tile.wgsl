alias Tile = array<vec4f, 8>; // eight rows of four columns: the lane's own rows, then its neighbour's

// Adds one k of eight rows: `own` and `other` rows of the left matrix, four columns of the product.
fn add(tile: ptr<function, Tile>, own: vec4f, other: vec4f, columns: vec4f) {
  (*tile)[0] = fma(vec4f(own.x), columns, (*tile)[0]);
  (*tile)[1] = fma(vec4f(own.y), columns, (*tile)[1]);
  (*tile)[2] = fma(vec4f(own.z), columns, (*tile)[2]);
  (*tile)[3] = fma(vec4f(own.w), columns, (*tile)[3]);
  (*tile)[4] = fma(vec4f(other.x), columns, (*tile)[4]);
  (*tile)[5] = fma(vec4f(other.y), columns, (*tile)[5]);
  (*tile)[6] = fma(vec4f(other.z), columns, (*tile)[6]);
  (*tile)[7] = fma(vec4f(other.w), columns, (*tile)[7]);
}
