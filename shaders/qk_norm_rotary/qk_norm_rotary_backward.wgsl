// qk_norm_rotary_backward — gradient of qk_norm_rotary_forward with respect to queries and keys.
//
//   du[j]      = dy[j] · cos + dy[j+HS/2] · sin                        j < HS/2, symbols of the forward
//   du[j+HS/2] = dy[j+HS/2] · cos − dy[j] · sin
//   g[j]       = du[j] · w[j]
//   dx[j]      = r · g[j] − x[j] · (r³/HS) · Σ_j' g[j'] · x[j']         dx = du when normalise = 0
//
// shapes  qkv [N,(NH+2NKV)·HS], queryWeight and keyWeight [HS], positions [N], rotary [maxPosition,HS],
//         dqk [N,(NH+NKV)·HS] → dqkv [N,(NH+2NKV)·HS] (its query and key columns)
// grid    one invocation per (n, h)
// writes  dqkv query and key columns = (value columns untouched)
// oracle  qk_norm_rotary.oracle.ts

struct Params { rows: u32, heads: u32, kvHeads: u32, normalise: u32, epsilon: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<vec2f>;
@group(0) @binding(2) var<storage, read> queryWeight: array<vec2f>;
@group(0) @binding(3) var<storage, read> keyWeight: array<vec2f>;
@group(0) @binding(4) var<storage, read> positions: array<u32>;
@group(0) @binding(5) var<storage, read> rotary: array<vec2f>;
@group(0) @binding(6) var<storage, read> dqk: array<vec2f>;
@group(0) @binding(7) var<storage, read_write> dqkv: array<vec2f>;

override WORKGROUP: u32 = 64;
// #use rotary_head

struct Pair { first: vec2f, second: vec2f }

// g of elements (j, j+HS/2), or du when there is no norm; counted in vectors of two.
fn gradientPair(upstream: u32, angle: u32, j: u32, isQuery: bool) -> Pair {
  let dy1 = dqk[upstream + j];
  let dy2 = dqk[upstream + HALF + j];
  let cos = rotary[angle + j];
  let sin = rotary[angle + HALF + j];
  var pair = Pair(dy1 * cos + dy2 * sin, dy2 * cos - dy1 * sin);
  if (params.normalise != 0u) {
    pair.first *= select(keyWeight[j], queryWeight[j], isQuery);
    pair.second *= select(keyWeight[HALF + j], queryWeight[HALF + j], isQuery);
  }
  return pair;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let normed = params.heads + params.kvHeads;
  let n = unit / normed;
  let h = unit % normed;
  if (n >= params.rows) { return; }
  let source = (n * (normed + params.kvHeads) + h) * VECTORS;
  let upstream = unit * VECTORS;
  let angle = positions[n] * VECTORS;
  let isQuery = h < params.heads;

  var r = 1.0;
  var along = 0.0;
  if (params.normalise != 0u) {
    var squares = vec2f();
    var products = vec2f();
    for (var j = 0u; j < HALF; j++) {
      let x1 = qkv[source + j];
      let x2 = qkv[source + HALF + j];
      let g = gradientPair(upstream, angle, j, isQuery);
      squares = fma(x2, x2, fma(x1, x1, squares));
      products = fma(x2, g.second, fma(x1, g.first, products));
    }
    r = inverseSqrt((squares.x + squares.y) / f32(HEAD_SIZE) + params.epsilon);
    along = r * r * r * (products.x + products.y) / f32(HEAD_SIZE);
  }
  for (var j = 0u; j < HALF; j++) {
    let g = gradientPair(upstream, angle, j, isQuery);
    dqkv[source + j] = r * g.first - along * qkv[source + j];
    dqkv[source + HALF + j] = r * g.second - along * qkv[source + HALF + j];
  }
}
