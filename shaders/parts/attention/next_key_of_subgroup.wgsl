// The first key from `start` on that is not in a subtree without any of the subgroup's tokens, or a number past `last`. A
// loop of its own, beside the sums: SwiftShader would carry them through every way round the loop that they are in.
fn nextKey(start: u32, least: u32, last: u32) -> u32 {
  var j = start;
  while (j <= last && visible[j].y <= least) { j = max(visible[j].y, j + 1u); } // always onwards, whatever the buffer holds
  return j;
}
