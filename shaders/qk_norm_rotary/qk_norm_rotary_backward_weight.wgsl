// qk_norm_rotary_backward_weight — gradients of both head-norm weights, summed chunk by chunk of rows.
//
//   partial[k,j]      = Σ_{n in chunk k} Σ_{query heads} du[j] · x[j] · r    symbols of the backward
//   partial[k,HS+j]   = the same over the key heads;  0 when normalise = 0
//
// shapes  qkv [N,(NH+2NKV)·HS], positions [N], rotary [maxPosition,HS], dqk [N,(NH+NKV)·HS]
//         → partial [ceil(N/chunkRows), 2·HS]
// grid    one invocation per (chunk, query or key weight, pair (j, j+HS/2) of vectors of two)
// writes  partial =
// oracle  qk_norm_rotary.oracle.ts

struct Params { rows: u32, heads: u32, kvHeads: u32, normalise: u32, epsilon: f32, chunkRows: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<vec2f>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> rotary: array<vec2f>;
@group(0) @binding(4) var<storage, read> dqk: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> partial: array<vec2f>;

override WORKGROUP: u32 = 64;
// #use rotary_head

fn headInverseRms(source: u32) -> f32 {
  var squares = vec2f();
  for (var j = 0u; j < VECTORS; j++) { squares = fma(qkv[source + j], qkv[source + j], squares); }
  return inverseSqrt((squares.x + squares.y) / f32(HEAD_SIZE) + params.epsilon);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groupCount: vec3u) {
  let unit = id.x + id.y * groupCount.x * WORKGROUP;
  let j = unit % HALF;
  let side = unit / HALF % 2u; // 0 queries, 1 keys
  let chunk = unit / VECTORS;
  let first = chunk * params.chunkRows;
  if (first >= params.rows) { return; }
  let normed = params.heads + params.kvHeads;
  let firstHead = select(0u, params.heads, side == 1u);
  let endHead = select(params.heads, normed, side == 1u);

  var sum1 = vec2f();
  var sum2 = vec2f();
  let end = select(first, min(first + params.chunkRows, params.rows), params.normalise != 0u);
  for (var n = first; n < end; n++) {
    let cos = rotary[positions[n] * VECTORS + j];
    let sin = rotary[positions[n] * VECTORS + HALF + j];
    for (var h = firstHead; h < endHead; h++) {
      let source = (n * (normed + params.kvHeads) + h) * VECTORS;
      let upstream = (n * normed + h) * VECTORS;
      let r = headInverseRms(source);
      let dy1 = dqk[upstream + j];
      let dy2 = dqk[upstream + HALF + j];
      sum1 = fma(dy1 * cos + dy2 * sin, qkv[source + j] * r, sum1);
      sum2 = fma(dy2 * cos - dy1 * sin, qkv[source + HALF + j] * r, sum2);
    }
  }
  let place = chunk * 2u * VECTORS + side * VECTORS;
  partial[place + j] = sum1;
  partial[place + HALF + j] = sum2;
}
