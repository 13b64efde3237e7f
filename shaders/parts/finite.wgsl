const EXPONENT = 0x7f800000u; // all ones in a NaN or an infinity

// Bits, not x == x: compilers may assume that NaN never happens.
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & EXPONENT) != EXPONENT; }
