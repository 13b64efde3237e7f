const HEAD_SIZE: u32 = 16;
const VECTORS: u32 = HEAD_SIZE / 2u; // of two: HS/2 need not be a multiple of 4
const HALF: u32 = VECTORS / 2u;
const_assert HEAD_SIZE % 4u == 0u;
