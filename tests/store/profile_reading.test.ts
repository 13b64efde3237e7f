/** What bounds a kernel, by hand-made rows on a device of round numbers. */
import { expect, test } from 'vitest';
import { groupProfile, wholeProfile, type UpdateProfile } from '../../src/store/loss/profile_reading.ts';
import { PROFILE, row } from '../support/sample_profile.ts';

const ceilings = { flopsPerSecond: 1e9, bytesPerSecond: 1e9, launchMs: 0.1, fillingGroups: 100 };
const profileOf = (...rows: UpdateProfile['rows'][number][]): UpdateProfile => ({
  ...PROFILE,
  ceilings,
  rows,
});
/** @param numbers dispatches, ms, flops, bytes, groups */
const boundOf = (...numbers: (number | null)[]): string =>
  wholeProfile(profileOf(row('p', 'k', 'l', numbers))).bounds[0].bound;

test('a kernel is bound by what accounts for half of its time or more, by what accounts for most', () => {
  expect(boundOf(1, 10, 5e6, 0, 1)).toBe('arithmetic'); // 5 of 10 ms
  expect(boundOf(1, 10, 4.9e6, 0, 1)).toBe('groups');
  expect(boundOf(1, 10, 5e6, 6e6, 1)).toBe('bandwidth');
  expect(boundOf(80, 10, 5e6, 6e6, 80)).toBe('launches'); // 8 of 10 ms
});

test('else by its workgroups, on the average fewer than fill the device; else by something other', () => {
  expect(boundOf(2, 10, 0, 0, 199)).toBe('groups');
  expect(boundOf(2, 10, 0, 0, 200)).toBe('other');
});

test('work that is not known bounds nothing', () => {
  expect(boundOf(1, 10, null, null, 1000)).toBe('other');
});

test('a group’s time is shared out by its rows, most first', () => {
  const [k] = groupProfile(
    profileOf(
      row('a', 'k', '1', [1, 30, 3e7, 0, 1]),
      row('b', 'k', '2', [1, 50, 0, 0, 1]),
      row('c', 'k', '3', [1, 20, 2e7, 0, 1]),
    ),
    'kernel',
  );
  expect(k.bounds).toEqual([
    { bound: 'arithmetic', ms: 50, share: 0.5 },
    { bound: 'groups', ms: 50, share: 0.5 },
  ]);
  expect(groupProfile(profileOf(), 'kernel')).toEqual([]);
  expect(wholeProfile(profileOf()).bounds).toEqual([]);
});
