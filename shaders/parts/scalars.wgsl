// Small functions of numbers, and what two kernels of an op say alike.

// #part finite
const EXPONENT = 0x7f800000u; // all ones in a NaN or an infinity

// Bits, not x == x: compilers may assume that NaN never happens.
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & EXPONENT) != EXPONENT; }

// #part nan
// #use finite
fn isNaN(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > EXPONENT; }

// #part sigmoid
// The exponential's argument is never positive: no overflow for large negative gates.
fn sigmoid(z: vec4f) -> vec4f {
  let e = exp(-abs(z));
  return select(e, vec4f(1.0), z >= vec4f()) / (1.0 + e);
}

// #part merge_lanes
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

// #part rotary_head
const HEAD_SIZE: u32 = 16;
const VECTORS: u32 = HEAD_SIZE / 2u; // of two: HS/2 need not be a multiple of 4
const HALF: u32 = VECTORS / 2u;
const_assert HEAD_SIZE % 4u == 0u;
