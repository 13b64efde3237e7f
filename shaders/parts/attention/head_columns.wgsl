  let g = h / (params.heads / params.kvHeads);
  let qkWidth = (params.heads + params.kvHeads) * VECTORS;
  let qkvWidth = (params.heads + 2u * params.kvHeads) * VECTORS;
  let keyColumn = (params.heads + g) * VECTORS;
  let valueColumn = (params.heads + params.kvHeads + g) * VECTORS;
