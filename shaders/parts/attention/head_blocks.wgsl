const HEAD_SIZE: u32 = 16;
const VECTORS: u32 = HEAD_SIZE / 4u;
const LAST: u32 = VECTORS - 1u;
// A head is up to 8 blocks of four vectors. Constant block numbers keep them in registers: an array
// indexed by a loop variable is memory, and the kernel takes 2 to 3 times as long on SwiftShader.
const BLOCKS: u32 = (VECTORS + 3u) / 4u;
const_assert HEAD_SIZE % 4u == 0u && BLOCKS <= 8u;
