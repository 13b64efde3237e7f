// sample_token — draws the next token of each decode row by Gumbel-max and moves the row on.
//
//   z[v]  = inverseTemperature · logits[r,v]                  (greedy: z = logits, no noise)
//   token = argmax_v z[v] + gumbel(v), ties → lowest v;       gumbel(v) = −ln(−ln u(v))
//   u(v)  = (⌊word / 2⁹⌋ + ½)·2⁻²³, word = component v mod 4 of
//           Philox4x32-10(counter (prompt, node, counter, ⌊v/4⌋), key (seed, update))
//   stats[r,count] = (logProb of the token, entropy of the row), nats, of softmax z
//
// 23 bits and a half are exact in f32, so u is never 1 and the noise is finite. The maximum is exact, so the token
// does not depend on LANES, on the other rows, or on when it is drawn.
//
// A row with a NaN or +∞ among its logits draws some token of the vocabulary, and its stats are NaN: Z is then not
// finite, which e^x and ln may make a number of.
//
// rowState[r] = prompt, node, counter (number of the next token in its node), remaining, done, count, ·, ·
// A row not done: counter += 1, count += 1, remaining −= 1; at a stop token or remaining 0: done = 1, otherwise
// previousToken = currentToken, currentToken = token, positions += 1. A row that is done: nothing is touched.
//
// shapes  logits [R,stride] f32 (V ≤ stride), stopMask [V] u32, rowState [R,8] u32, currentToken, previousToken,
//         positions [R] u32, sampled [R,maxNew] u32, stats [R,maxNew,2] f32
// grid    LANES invocations per row stride over it, ROWS rows a group, folded over x and y
// writes  in place as above; sampled[r,count] = , stats[r,count] =
// oracle  sample_token.oracle.ts

struct Params {
  rows: u32,
  vocab: u32,
  stride: u32,
  inverseTemperature: f32,
  greedy: u32,
  seed: u32,
  update: u32,
  maxNew: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<vec4f>;
@group(0) @binding(2) var<storage, read> stopMask: array<u32>;
@group(0) @binding(3) var<storage, read_write> rowState: array<u32>;
@group(0) @binding(4) var<storage, read_write> currentToken: array<u32>;
@group(0) @binding(5) var<storage, read_write> previousToken: array<u32>;
@group(0) @binding(6) var<storage, read_write> positions: array<u32>;
@group(0) @binding(7) var<storage, read_write> sampled: array<u32>;
@group(0) @binding(8) var<storage, read_write> stats: array<vec2f>;

override LANES: u32 = 1; // a power of two
override ROWS: u32 = 16;
const LOWEST = -3e38; // finite, and e^(LOWEST − m) = 0
const EXPONENT = 0x7f800000u; // all ones in a NaN or an infinity

// Fields of rowState.
const STATE = 8u;
const PROMPT = 0u;
const NODE = 1u;
const COUNTER = 2u;
const REMAINING = 3u;
const DONE = 4u;
const COUNT = 5u;

// Part of a row: m = max z, Z = Σ e^(z−m), W = Σ e^(z−m)·(z−m); and the best entry with its noise.
struct Draw { m: f32, Z: f32, W: f32, best: f32, z: f32, token: u32 }
alias Part = Draw;

// High and low word of a 32×32-bit product, through 16-bit halves.
fn multiply(a: u32, b: u32) -> vec2u {
  let middle = (a >> 16u) * (b & 0xffffu) + (((a & 0xffffu) * (b & 0xffffu)) >> 16u);
  let carry = (middle & 0xffffu) + (a & 0xffffu) * (b >> 16u);
  return vec2u((a >> 16u) * (b >> 16u) + (middle >> 16u) + (carry >> 16u), a * b);
}

fn philox4x32(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let p0 = multiply(0xd2511f53u, c.x);
    let p1 = multiply(0xcd9e8d57u, c.z);
    c = vec4u(p1.x ^ c.y ^ k.x, p1.y, p0.x ^ c.w ^ k.y, p0.y);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}

// −ln u to a few ulps. WGSL grants ln only 2⁻²¹ absolute near 1, where the largest noise comes from; there
// −ln u = 2·artanh(t), t = (1 − u)/(1 + u) ≤ 1/3 for u ≥ 1/2, by its series.
fn negativeLog(u: vec4f) -> vec4f {
  let t = (1.0 - u) / (1.0 + u);
  let q = t * t;
  let tail = q * (1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0)));
  let series = 2.0 * t * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + tail))));
  return select(-log(u), series, u >= vec4f(0.5));
}

fn gumbel(words: vec4u) -> vec4f {
  let u = (vec4f(words >> vec4u(9u)) + 0.5) * 0x1p-23;
  return -log(negativeLog(u));
}

fn merge(a: Draw, b: Draw) -> Draw {
  let m = max(a.m, b.m);
  let rise = vec2f(a.m, b.m) - m;
  let scale = exp(rise);
  let Z = vec2f(a.Z, b.Z);
  var best = a;
  if (b.best > a.best || (b.best == a.best && b.token < a.token)) { best = b; }
  return Draw(m, dot(scale, Z), dot(scale, vec2f(a.W, b.W) + rise * Z), best.best, best.z, best.token);
}

// The draw, or a later token that beats it; selects: a loop over the four columns took a fifth of the kernel on SwiftShader.
fn better(draw: Draw, noisy: f32, z: f32, token: u32) -> Draw {
  let wins = noisy > draw.best;
  return Draw(draw.m, draw.Z, draw.W,
    select(draw.best, noisy, wins), select(draw.z, z, wins), select(draw.token, token, wins));
}

// Four columns; those past V cannot win.
fn drawBlock(row: u32, block: u32) -> Draw {
  let v = vec4u(4u * block) + vec4u(0u, 1u, 2u, 3u);
  let inside = v < vec4u(params.vocab);
  let factor = select(params.inverseTemperature, 1.0, params.greedy != 0u);
  // Padding may hold anything: a select keeps even NaN out.
  let z = select(vec4f(LOWEST), factor * logits[row * (params.stride / 4u) + block], inside);
  var noisy = z;
  if (params.greedy == 0u) {
    let at = row * STATE;
    let counter = vec4u(rowState[at + PROMPT], rowState[at + NODE], rowState[at + COUNTER], block);
    noisy = select(vec4f(LOWEST), z + gumbel(philox4x32(counter, vec2u(params.seed, params.update))), inside);
  }
  let m = max(max(z.x, z.y), max(z.z, z.w));
  let e = exp(z - m);
  let first = Draw(m, dot(e, vec4f(1.0)), dot(e, z - m), noisy.x, z.x, v.x);
  let second = better(first, noisy.y, z.y, v.y);
  let third = better(second, noisy.z, z.z, v.z);
  return better(third, noisy.w, z.w, v.w);
}

fn drawLane(row: u32, lane: u32) -> Draw {
  var draw = Draw(LOWEST, 0.0, 0.0, LOWEST, LOWEST, 0xffffffffu);
  let blocks = (params.vocab + 3u) / 4u;
  for (var block = lane; block < blocks; block += LANES) { draw = merge(draw, drawBlock(row, block)); }
  return draw;
}

// #use merge_lanes

fn advance(row: u32, draw: Draw) {
  let at = row * STATE;
  let count = rowState[at + COUNT];
  let sum = bitcast<u32>(draw.Z); // bits: compilers may assume that NaN never happens
  let isFinite = (sum & EXPONENT) != EXPONENT;
  let logZ = select(bitcast<f32>(sum | 0x7fc00000u), log(draw.Z), isFinite);
  let token = select(0u, draw.token, draw.token < params.vocab); // nothing is above NaN
  sampled[row * params.maxNew + count] = token;
  stats[row * params.maxNew + count] = vec2f(draw.z - draw.m - logZ, logZ - draw.W / draw.Z);
  let remaining = rowState[at + REMAINING] - 1u;
  rowState[at + COUNTER] += 1u;
  rowState[at + COUNT] = count + 1u;
  rowState[at + REMAINING] = remaining;
  if (remaining == 0u || stopMask[token] != 0u) {
    rowState[at + DONE] = 1u;
    return;
  }
  previousToken[row] = currentToken[row];
  currentToken[row] = token;
  positions[row] += 1u;
}

@compute @workgroup_size(LANES, ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groupCount: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = (group.x + group.y * groupCount.x) * ROWS + local.y;
  var draw = Draw(LOWEST, 0.0, 0.0, LOWEST, LOWEST, 0xffffffffu);
  // The tree of merges orders every lane's reading of rowState before lane 0 writes it.
  let live = row < params.rows && rowState[row * STATE + DONE] == 0u;
  if (live) { draw = drawLane(row, local.x); }
  if (LANES > 1u) { draw = mergeLanes(draw, local.y * LANES + local.x, local.x); }
  if (live && local.x == 0u) { advance(row, draw); }
}
