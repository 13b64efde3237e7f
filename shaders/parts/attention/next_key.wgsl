// The first key from `start` on that query n reads, or a number past n: subtrees without n are jumped over.
fn nextKey(start: u32, n: u32) -> u32 {
  var j = start;
  while (j <= n && visible[j].y <= n) { j = max(visible[j].y, j + 1u); } // always onwards, whatever the buffer holds
  return j;
}
