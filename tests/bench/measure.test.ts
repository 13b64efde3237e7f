import { expect, test } from 'vitest';
import { measure, type MeasureOptions, type Seat } from '../../bench/measure.ts';
import type { SeatFunction } from '../../bench/seat.ts';
import { presets } from '../../bench/work.ts';

const { tiny } = presets;
const tokens = Array.from({ length: tiny.rows * tiny.newTokens }, (_, at) => at % 7);

type Answers = Partial<Record<SeatFunction, unknown>>;

const ANSWERS: Answers = {
  open: { label: 'A', setupMs: 1, can: ['matmul', 'trainer', 'decoder'] },
  matmulOpen: { firstMs: 1, error: 1e-7 },
  matmulRun: 2,
  trainOpen: { ms: 300, loss: 4 },
  trainStep: { ms: 20, loss: 3 },
  trainSums: { tok_emb: 10 },
  trainClose: 2 ** 20,
  decodeOpen: undefined,
  decodeRun: { ms: 1000, tokens },
};

/** A seat that gives fixed answers and writes its calls into `calls`; an Error is thrown, a function is called. */
function scripted(id: string, calls: string[], change: Answers = {}): Seat {
  const answers: Answers = { ...ANSWERS, ...change };
  const call = async (name: SeatFunction): Promise<unknown> => {
    calls.push(`${id}.${name}`);
    const answer = answers[name];
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? await (answer as () => Promise<unknown>)() : answer; // scripted above
  };
  const close = (): Promise<void> => {
    calls.push(`${id}.close`);
    return Promise.resolve();
  };
  return { id, call: call as Seat['call'], close }; // answers have the functions' shapes
}

const OPTIONS: MeasureOptions = {
  suites: ['matmul', 'train', 'decode'],
  shape: tiny,
  matmulShapes: [{ m: 8, n: 8, k: 8 }],
  repetitions: 3,
  budgetMs: 1000,
  limitMs: 1000,
  log: () => undefined,
};

test('every suite goes round the contenders repetition by repetition', async () => {
  const calls: string[] = [];
  await measure([scripted('a', calls), scripted('b', calls)], { ...OPTIONS, suites: ['train'] });
  const steps = calls.filter((name) => name.endsWith('trainStep')).map((name) => name[0]);
  expect(steps.join('')).toBe('ab' + 'ababab'); // one warm-up each, then three repetitions
});

test('a result holds medians under the names that the JSON promises', async () => {
  const times = [20, 10, 90, 30]; // the first is a warm-up
  const trainStep = (): Promise<unknown> => Promise.resolve({ ms: times.shift(), loss: 3 });
  const { a } = await measure([scripted('a', [], { trainStep })], OPTIONS);
  expect(a).toMatchObject({
    label: 'A',
    trainStepMs: 30,
    firstStepMs: 300,
    decodeTokensPerSecond: tiny.rows * tiny.newTokens,
    matmulGflops: { '8x8x8': 2 },
    memoryBytes: 2 ** 20,
    checks: { lossDifference: 0, parameterDifference: 0, sameTokens: 1, matmulError: 1e-7 },
    samples: { losses: [4, 3, 3, 3, 3], trainStepMs: [10, 90, 30] },
    errors: {},
  });
});

test('a contender that computes something else gets no number but a reason', async () => {
  const wrongLoss = scripted('b', [], { trainStep: { ms: 1, loss: 3.001 } });
  const wrongSums = scripted('c', [], { trainSums: { tok_emb: 10.001 } });
  const wrongTokens = scripted('d', [], { decodeRun: { ms: 1, tokens: tokens.map((token) => token + 1) } });
  const wrongProduct = scripted('e', [], { matmulOpen: { firstMs: 1, error: 0.1 } });
  const seats = [scripted('a', []), wrongLoss, wrongSums, wrongTokens, wrongProduct];
  const { b, c, d, e } = await measure(seats, OPTIONS);
  expect(b.trainStepMs).toBeUndefined();
  expect(b.errors.train).toContain("losses differ from a's");
  expect(b.decodeTokensPerSecond).toBeGreaterThan(0); // the other suites stand
  expect(c.errors.train).toContain("parameters differ from a's");
  expect(d.errors.decode).toContain("only 0 of the tokens are a's");
  expect(e.errors.matmul).toContain('wrong by 0.1');
  expect(e.matmulGflops).toBeUndefined();
});

test('a contender that cannot run leaves with its reason, and the others go on', async () => {
  const calls: string[] = [];
  const broken = scripted('b', calls, { open: new Error('no such adapter') });
  const { a, b } = await measure([broken, scripted('a', calls)], OPTIONS);
  expect(b).toMatchObject({ label: 'b', errors: { setup: 'no such adapter' } });
  expect(calls.filter((name) => name.startsWith('b'))).toEqual(['b.open', 'b.close']);
  expect(a.trainStepMs).toBe(20);
});

test('a contender that does not answer is closed and called no more', async () => {
  const calls: string[] = [];
  const stuck = scripted('b', calls, { trainStep: () => new Promise(() => undefined) });
  const results = await measure([scripted('a', calls), stuck], { ...OPTIONS, limitMs: 50 });
  expect(results.b.errors.train).toBe('no answer in 0.05 s');
  expect(calls.filter((name) => name.startsWith('b')).at(-1)).toBe('b.close');
  expect(results.a.decodeTokensPerSecond).toBeGreaterThan(0);
});

test('a contender above the budget is measured once, the others as often as asked', async () => {
  const slowStep = () => new Promise((resolve) => setTimeout(() => resolve({ ms: 60, loss: 3 }), 60));
  const seats = [scripted('a', []), scripted('b', [], { trainStep: slowStep })];
  const { a, b } = await measure(seats, { ...OPTIONS, budgetMs: 50 });
  expect(a.samples.trainStepMs).toHaveLength(3);
  expect(b.samples.trainStepMs).toHaveLength(1);
});
