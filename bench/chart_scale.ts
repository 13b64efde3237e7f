export interface LogScale {
  readonly domain: readonly [low: number, high: number];
  readonly ticks: readonly number[];
  at(value: number): number; // pixels
}

/** A logarithmic axis over some positive values, from `start` to `end` in pixels, with ticks at powers of ten times 1, 2, 5. */
export function scaleLog(values: readonly number[], start: number, end: number): LogScale {
  const steps = Array.from({ length: 16 }, (_, index) => index - 6).flatMap((power) =>
    [1, 2, 5].map((digit) => Number((digit * 10 ** power).toPrecision(3))),
  );
  const low = steps.findLast((step) => step <= Math.min(...values)) ?? steps[0];
  const high = steps.find((step) => step >= Math.max(...values)) ?? steps[steps.length - 1];
  return {
    domain: [low, high],
    ticks: steps.filter((step) => step >= low && step <= high),
    at: (value) => start + ((end - start) * Math.log(value / low)) / Math.log(high / low),
  };
}
