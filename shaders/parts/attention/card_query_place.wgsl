  // The quad's token, and the head of the group. A quad past the last token computes that one again, and stores nothing.
  let h = unit % params.heads;
  let least = unit / params.heads * TOKENS;
  if (least >= params.tokens) { return; }
  let last = min(least + TOKENS, params.tokens) - 1u;
  let n = min(least + index / 4u, last);
  let inside = least + index / 4u <= last;
  let start = visible[n].x;
  var first = visible[least].x;
  for (var i = least + 1u; i <= last; i++) { first = min(first, visible[i].x); }
