import { expect, test } from 'vitest';
import { columnSum } from '../../shaders/sums/sums.oracle.ts';

test('the rows of two columns are added onto what the total held', () => {
  const partial = [1, 2, 3, 4, 10, 20, 30, 40, 100, 200, 300, 400];
  expect([...columnSum(3, 2, 4, 1, partial, [0.5, 1000])]).toEqual([222.5, 1333]);
});
