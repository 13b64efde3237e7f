// matmul_nt_tiles — matmul_nt for graphics cards: a group shares what it loads through workgroup memory.
//
//   c[i,j] = scale·Σ_k a[i,k]·b[j,k] (+ c[i,j] when ACCUMULATE)
//
// shapes  a [m,k] f32, b [n,k] f32 → c [m,n];  rows aStride, bStride, cStride apart, multiples of 4
// grid    one group per SIDE × SIDE tile of c; x over columns, y over rows
// writes  c = , or += when ACCUMULATE; columns n…cStride stay as they are
// oracle  matmul.oracle.ts
//
// Each element adds its terms in ascending k, one by one: bit for bit matmul_nt.

struct Params { m: u32, n: u32, k: u32, aStride: u32, bStride: u32, cStride: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;

// #use matmul/tile_blocks

// #use matmul/bring_a_rows

// B's rows lie along k: a lane takes four of them, four k long, and turns them over. What lies past k counts as 0.
fn bringB(first: u32, k: u32, lane: u32) {
  for (var block = lane; block < DEPTH * VECTORS / 4u; block += LANES * LANES) {
    let place = block % VECTORS;
    let depth = 4u * (block / VECTORS);
    let at = (k + depth) / 4u;
    let inside = vec4u(k + depth) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.k);
    let row = first + 4u * place;
    let last = params.n - 1u;
    let step = params.bStride / 4u;
    let v0 = select(vec4f(), b[min(row + 0u, last) * step + at], inside);
    let v1 = select(vec4f(), b[min(row + 1u, last) * step + at], inside);
    let v2 = select(vec4f(), b[min(row + 2u, last) * step + at], inside);
    let v3 = select(vec4f(), b[min(row + 3u, last) * step + at], inside);
    bTile[(depth + 0u) * VECTORS + place] = vec4f(v0.x, v1.x, v2.x, v3.x);
    bTile[(depth + 1u) * VECTORS + place] = vec4f(v0.y, v1.y, v2.y, v3.y);
    bTile[(depth + 2u) * VECTORS + place] = vec4f(v0.z, v1.z, v2.z, v3.z);
    bTile[(depth + 3u) * VECTORS + place] = vec4f(v0.w, v1.w, v2.w, v3.w);
  }
}

@compute @workgroup_size(LANES, LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // #use matmul/tile_product
}
