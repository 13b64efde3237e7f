import { expect, test } from 'vitest';
import { fitPower, median } from '../../bench/statistics.ts';

test('the median of an even number of values is the mean of the middle two', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([10, 1, 2, 4])).toBe(3);
  expect(median([])).toBeNaN();
});

test('a power law is found again, with no error', () => {
  const fit = fitPower([1, 2, 4, 8, 16].map((x) => [x, 3 * x ** 1.5]));
  expect(fit.exponent).toBeCloseTo(1.5, 10);
  expect(fit.factor).toBeCloseTo(3, 10);
  expect(fit.error).toBeCloseTo(0, 10);
});

test('scatter shows in the error of the exponent, as numpy.polyfit and the textbook give it', () => {
  const points = [
    [1, 1.1],
    [2, 1.9],
    [4, 4.4],
    [8, 7.6],
  ] as const;
  const { exponent, error } = fitPower(points);
  expect(exponent).toBeCloseTo(0.957699, 5);
  expect(error).toBeCloseTo(0.059822, 5);
});
