  store(row + 0u, column, p0); store(row + 0u, column + 4u, q0);
  store(row + 1u, column, p1); store(row + 1u, column + 4u, q1);
  store(row + 2u, column, p2); store(row + 2u, column + 4u, q2);
  store(row + 3u, column, p3); store(row + 3u, column + 4u, q3);
  store(row + 4u, column, p4); store(row + 4u, column + 4u, q4);
  store(row + 5u, column, p5); store(row + 5u, column + 4u, q5);
  store(row + 6u, column, p6); store(row + 6u, column + 4u, q6);
  store(row + 7u, column, p7); store(row + 7u, column + 4u, q7);
