// #use finite.wgsl
fn isNaN(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > EXPONENT; }
