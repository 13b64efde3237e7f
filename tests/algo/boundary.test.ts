import { expect, test } from 'vitest';
import {
  BOUNDARY_START,
  admissionPays,
  afterValidation,
  type BoundaryState,
} from '../../src/algo/boundary.ts';

const after = (scores: readonly number[], from: BoundaryState = BOUNDARY_START): BoundaryState =>
  scores.reduce(afterValidation, from);
const PLATEAU: BoundaryState = { phase: 'plateau', best: 0.5, below: 6 };
const OPEN = { admissionShare: 0, solved: false, differentAnswers: 1, rows: 8 };

test('the plateau begins with the sixth validation in a row below the best', () => {
  expect(after([0.5, 0.4, 0.4, 0.4, 0.4, 0.4])).toEqual({ phase: 'exploration', best: 0.5, below: 5 });
  expect(after([0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.45]).phase).toBe('plateau');
});

test('a new best starts the count again, an equal score does not count, and a plateau stays', () => {
  expect(after([0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.6, 0.5])).toEqual({
    phase: 'exploration',
    best: 0.6,
    below: 1,
  });
  expect(after([0.5, 0.4, 0.5, 0.5]).below).toBe(1);
  expect(after([0.9, 0.95], PLATEAU).phase).toBe('plateau');
});

test('where a row of the group knew, admitting never pays', () => {
  for (const state of [BOUNDARY_START, PLATEAU]) {
    expect(admissionPays(state, { ...OPEN, solved: true })).toBe(false);
    expect(admissionPays(state, OPEN)).toBe(true);
  }
});

test('exploring, it pays below a batch share of 5 %; on the plateau the share is not asked', () => {
  expect(admissionPays(BOUNDARY_START, { ...OPEN, admissionShare: 0.049 })).toBe(true);
  expect(admissionPays(BOUNDARY_START, { ...OPEN, admissionShare: 0.05 })).toBe(false);
  expect(admissionPays(PLATEAU, { ...OPEN, admissionShare: 0.9 })).toBe(true);
});

test('on the plateau it pays for at most 3 different answers of 8 rows; exploring, diversity is not asked', () => {
  expect(admissionPays(PLATEAU, { ...OPEN, differentAnswers: 3 })).toBe(true);
  expect(admissionPays(PLATEAU, { ...OPEN, differentAnswers: 4 })).toBe(false);
  expect(admissionPays(PLATEAU, { ...OPEN, differentAnswers: 6, rows: 16 })).toBe(true);
  expect(admissionPays(BOUNDARY_START, { ...OPEN, differentAnswers: 8 })).toBe(true);
});
