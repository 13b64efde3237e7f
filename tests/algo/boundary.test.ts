import { describe, expect, test } from 'vitest';
import {
  BOUNDARY_START,
  admissionPays,
  afterValidation,
  plateauCaution,
  type BoundaryState,
} from '../../src/algo/reward/boundary.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';

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

describe('a run that can never reach the plateau', () => {
  const run = (updates: number, every: number, questions = 32) => ({
    algorithm: algorithms.bapo.config,
    updates,
    evaluation: { every, questions, datasets: ['hotpot'] },
  });

  test('says so, with the count of its validations and what would help', () => {
    expect(plateauCaution(run(40, 0))).toBe(
      'BAPO only explores in this run: its plateau phase needs 7 validations before the last update, and there are 1. Set evaluation.every to 6 or less for both phases.',
    );
    expect(plateauCaution(run(40, 10))).toContain('there are 4. Set evaluation.every to 6');
    expect(plateauCaution(run(40, 4, 0))).toContain('there are 0. Set evaluation.questions above 0');
    expect(plateauCaution(run(6, 1))).toContain('there are 6. Run at least 7 updates');
  });

  test('is told apart exactly where the state machine could get there', () => {
    for (const [updates, every] of [
      [40, 6],
      [40, 7],
      [37, 6],
      [36, 6],
      [7, 1],
      [6, 1],
    ] as const) {
      // the best score first, then ever worse ones: nothing gets there sooner
      const scores = Array.from({ length: updates }, (_, update) => update).filter(
        (update) => update % every === 0,
      );
      const { phase } = after(scores.map((_, rank) => 1 - rank / 100));
      expect(plateauCaution(run(updates, every)) === null).toBe(phase === 'plateau');
    }
  });

  test('is not asked about under other rewards', () => {
    expect(plateauCaution({ ...run(40, 0), algorithm: algorithms.grpo.config })).toBeNull();
  });
});
