import { expect, test } from 'vitest';
import type { CreditFrame } from '../../src/store/credit/credit_steps.ts';
import { between, easeOut } from '../../src/ui/credit/drawings.ts';
import { draggedReward, rewardScale, steppedReward } from '../../src/ui/credit/RewardDrag.tsx';
import { CLIP_SLIDER, clipOfSlider, sliderOfClip } from '../../src/ui/loss/ClipQuestion.tsx';

const frame = (values: (number | null)[]): CreditFrame => ({
  cursor: 1,
  length: 2,
  current: null,
  rewards: values,
  normalised: values,
  values,
  advantages: values.map((value) => (value === null ? null : [value, value + 1])),
  rowsDone: [],
});

test('a glide starts at the old numbers and ends at the new frame itself; unknown numbers do not move', () => {
  const [from, to] = [frame([0, 1, null, 5]), frame([2, -1, 3, null])];
  expect(between(from, to, 0).values).toEqual([0, 1, 3, null]);
  expect(between(from, to, 0.5).values).toEqual([1, 0, 3, null]);
  expect(between(from, to, 0.5).advantages).toEqual([[1, 2], [0, 1], [3, 4], null]);
  expect(between(from, to, 1)).toBe(to);
  expect([easeOut(-1), easeOut(0), easeOut(1), easeOut(2)]).toEqual([0, 0, 1, 1]);
  expect(easeOut(0.5)).toBeGreaterThan(0.5);
});

test('a drag moves the reward by tenths and stops at −1 and 1; a key goes to the next half', () => {
  expect(draggedReward(0, 30)).toBe(0.5);
  expect(draggedReward(0, -6)).toBe(-0.1);
  expect(draggedReward(0.5, 1000)).toBe(1);
  expect(draggedReward(0.5, -1000)).toBe(-1);
  expect(steppedReward(0, 1)).toBe(0.5);
  expect(steppedReward(0.3, 1)).toBe(0.5);
  expect(steppedReward(0.3, -1)).toBe(0);
  expect(steppedReward(1, 1)).toBe(1);
  const wide = rewardScale([2.15, null, 0.5, -12]);
  expect(wide).toEqual({ least: -20, most: 10, unit: 10 });
  expect([draggedReward(2.15, 30, wide), draggedReward(2.15, -1000, wide)]).toEqual([7, -20]);
  expect(steppedReward(2.15, 1, wide)).toBe(5);
  expect(rewardScale([2.15, 1.75])).toEqual({ least: -1, most: 3, unit: 1 });
  expect(rewardScale([0, 1, null])).toEqual({ least: -1, most: 1, unit: 1 });
});

test('the clip slider’s places and bands go back and forth', () => {
  expect(clipOfSlider(0)).toBe(0);
  expect(clipOfSlider(CLIP_SLIDER)).toBeCloseTo(1, 12);
  for (let place = 0; place <= CLIP_SLIDER; place += 1) expect(sliderOfClip(clipOfSlider(place))).toBe(place);
  expect(sliderOfClip(3e-4)).toBeGreaterThan(1);
});
