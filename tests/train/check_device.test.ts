import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AnswerWatch } from '../../src/gpu/answer_watch.ts';
import type { Gpu } from '../../src/gpu/device.ts';
import { CheckCancelledError, KernelStallError } from '../../src/gpu/errors.ts';
import { CheckDevice } from '../../src/train/inspect/check_device.ts';
import type { LabError } from '../../src/units.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What the checks use of a device. */
function fakeGpu() {
  let giveUp: (error: LabError) => void = () => undefined;
  const lost = new Promise<LabError>((resolve) => (giveUp = resolve));
  return { lost, giveUp, answers: new AnswerWatch(), close: () => undefined } as unknown as Gpu;
}

function checks() {
  const opened: Gpu[] = [];
  const device = new CheckDevice(() => {
    opened.push(fakeGpu());
    return Promise.resolve(opened.at(-1)!);
  });
  return { device, opened };
}

const never = new Promise<number>(() => undefined);
const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(1000 * count);
const caught = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

test('a kernel that never ends is given up after 30 s, and the next check has a device of its own', async () => {
  const { device, opened } = checks();
  let failure: unknown = null;
  void caught(device.run((gpu) => gpu.answers.of(never))).then((error) => (failure = error));
  await seconds(29);
  expect(failure).toBeNull();
  await seconds(2);
  expect(failure).toBeInstanceOf(KernelStallError);
  expect(await device.run(() => Promise.resolve(7))).toBe(7);
  expect(opened).toHaveLength(2);
});

test('a check of many slow dispatches is let be for as long as each answers', async () => {
  const { device, opened } = checks();
  const slow = device.run(async (gpu) => {
    for (let n = 0; n < 20; n += 1)
      await gpu.answers.of(new Promise<void>((resolve) => setTimeout(resolve, 25_000)));
    return 'done';
  });
  await seconds(20 * 25 + 1);
  expect(await slow).toBe('done');
  expect(opened).toHaveLength(1);
});

test('a cancelled check ends at once; with nothing under way there is nothing to cancel', async () => {
  const { device, opened } = checks();
  const failure = caught(device.run((gpu) => gpu.answers.of(never)));
  await seconds(1);
  device.cancel();
  expect(await failure).toBeInstanceOf(CheckCancelledError);
  device.cancel();
  await device.run(() => Promise.resolve(0));
  device.cancel();
  await device.run(() => Promise.resolve(0));
  expect(opened).toHaveLength(2);
});

test('a check that is cancelled while its device opens never begins; the next one has that device', async () => {
  const { device, opened } = checks();
  let began = false;
  const failure = caught(device.run(() => Promise.resolve((began = true))));
  device.cancel();
  expect(await failure).toBeInstanceOf(CheckCancelledError);
  expect(began).toBe(false);
  expect(await device.run(() => Promise.resolve(7))).toBe(7);
  expect(opened).toHaveLength(1);
});

test('a device that cannot be opened is asked for again by the next check', async () => {
  let tries = 0;
  const device = new CheckDevice(() => {
    tries += 1;
    return tries === 1 ? Promise.reject(new Error('no adapter')) : Promise.resolve(fakeGpu());
  });
  await expect(device.run(() => Promise.resolve(0))).rejects.toThrow('no adapter');
  expect(await device.run(() => Promise.resolve(3))).toBe(3);
});
