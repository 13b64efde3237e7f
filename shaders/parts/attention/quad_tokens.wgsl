  // The lane's token and head. A lane past the last token computes that one again, and stores nothing.
  let h = unit % params.heads;
  let wanted = unit / params.heads * 4u + lane;
  let inside = wanted < params.tokens;
  let n = min(wanted, params.tokens - 1u);
