    // The key's score s and its share p; what was summed before is kept by the factor `keep`.
    var dots = addDots(vec4f(), q[0], key, 0u);
    if (BLOCKS > 1u) { dots = addDots(dots, q[1], key, 1u); }
    if (BLOCKS > 2u) { dots = addDots(dots, q[2], key, 2u); }
    if (BLOCKS > 3u) { dots = addDots(dots, q[3], key, 3u); }
    if (BLOCKS > 4u) { dots = addDots(dots, q[4], key, 4u); }
    if (BLOCKS > 5u) { dots = addDots(dots, q[5], key, 5u); }
    if (BLOCKS > 6u) { dots = addDots(dots, q[6], key, 6u); }
    if (BLOCKS > 7u) { dots = addDots(dots, q[7], key, 7u); }
    let s = params.scale * dot(dots, vec4f(1.0));

    // One of the two factors is 1: a single exponential serves the old sum and the new term.
    let fade = exp(-abs(s - m));
    let keep = select(1.0, fade, s > m);
    let p = select(fade, 1.0, s > m);
    m = max(m, s);
    sum = fma(sum, keep, p);
