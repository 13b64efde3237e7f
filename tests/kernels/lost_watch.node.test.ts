import { expect, test } from 'vitest';
import { DeviceLostError } from '../../src/gpu/errors.ts';
import { LostWatch } from '../../src/gpu/answer_watch.ts';

function device() {
  let lose: (error: DeviceLostError) => void = () => undefined;
  const lost = new Promise<DeviceLostError>((resolve) => (lose = resolve));
  return { lost, lose: () => lose(new DeviceLostError('test', 'unknown', 'gone')) };
}

test('work gives its result, or its own error', async () => {
  const watch = new LostWatch(device().lost);
  expect(await watch.guard(() => Promise.resolve(3))).toBe(3);
  await expect(watch.guard(() => Promise.reject(new Error('own')))).rejects.toThrow('own');
});

test('all work under way fails when the device goes, and all later work at once', async () => {
  const { lost, lose } = device();
  const watch = new LostWatch(lost);
  const never = () => new Promise<number>(() => undefined);
  const waiting = [watch.guard(never), watch.guard(never)];
  lose();
  for (const work of waiting) await expect(work).rejects.toThrow(DeviceLostError);
  let begun = false;
  const late = watch.guard(() => Promise.resolve((begun = true)));
  await expect(late).rejects.toThrow(DeviceLostError);
  expect(begun).toBe(false);
});

test('nothing is kept of results: a thousand large ones leave no trace on the device’s promise', async () => {
  const { lost } = device();
  let reactions = 0;
  const counted = Object.assign(lost, {
    then: (...handlers: Parameters<typeof lost.then>) => {
      reactions += 1;
      return Promise.prototype.then.apply(lost, handlers);
    },
  });
  const watch = new LostWatch(counted);
  for (let n = 0; n < 1000; n++) await watch.guard(() => Promise.resolve(new Float32Array(1000)));
  expect(reactions).toBe(1);
});
