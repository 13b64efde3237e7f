import { describe, expect, test } from 'vitest';
import { keyedDraw } from '../../src/env/hash.ts';
import {
  demonstrate,
  HABITS,
  recallDrill,
  SKILL,
  weighSegments,
} from '../../src/env/search/demonstrations.ts';
import { parseTurn } from '../../src/env/search/episode.ts';
import {
  answerOf,
  DATASETS,
  makeQuestion,
  questionWords,
  type Dataset,
} from '../../src/env/search/question.ts';
import { indexOf } from '../../src/env/search/search.ts';
import { VOCABULARY } from '../../src/env/search/world.ts';
import golden from '../fixtures/task_world.json';

const NONE = Object.fromEntries(Object.keys(HABITS).map((habit) => [habit, 0])) as unknown as typeof HABITS;
const COUNT = 400;

function play(dataset: Dataset, seed: number, rates: typeof HABITS) {
  const question = makeQuestion(dataset, seed);
  const segments = demonstrate(indexOf({ dataset, seed }), question, keyedDraw(9, seed), rates);
  const last = parseTurn(segments[segments.length - 1].words);
  const right = last?.tag === 'answer' && last.answer === answerOf(seed, question);
  const length = questionWords(question).length + segments.reduce((sum, { words }) => sum + words.length, 0);
  const admitted = last?.tag === 'answer' && last.answer === 'none';
  return { segments, right, length, admitted, malformed: last === null };
}

const rightShare = (dataset: (typeof DATASETS)[number], rates: typeof HABITS): number =>
  Array.from({ length: COUNT }, (_, seed) => play(dataset, seed, rates)).filter(({ right }) => right).length /
  COUNT;

describe('demonstrations', () => {
  test('the rates are those of the specification', () => {
    expect(Object.values(SKILL)).toEqual(Object.values(golden.demo_noise.skill));
    expect(Object.values(HABITS)).toEqual(Object.values(golden.demo_noise.habits));
  });

  test('without habits every question is answered rightly, but where five calls cannot reach', () => {
    for (const dataset of DATASETS)
      expect(rightShare(dataset, NONE)).toBeGreaterThan(dataset === 'musique' ? 0.9 : 0.99);
  });

  test('what no page shows is admitted after both pages, and what a page shows never', () => {
    const admittedShare = (dataset: Dataset, rates: typeof HABITS): number =>
      Array.from({ length: COUNT }, (_, seed) => play(dataset, seed, rates)).filter(
        ({ admitted }) => admitted,
      ).length / COUNT;
    expect(admittedShare('unanswerable', NONE)).toBe(1);
    expect(admittedShare('unanswerable', HABITS)).toBeGreaterThan(0.1);
    expect(admittedShare('unanswerable', HABITS)).toBeLessThan(0.4);
    expect(admittedShare('hotpot', HABITS)).toBe(0);
    const { segments } = play('unanswerable', 3, NONE);
    const searches = segments
      .filter(({ kind }) => kind === 'turn')
      .map(({ words }) => words.slice(-4).join(' '));
    expect(searches[searches.length - 2]).toBe(searches[searches.length - 3]);
    expect(segments[segments.length - 1].words).toContain('retry');
  });

  test('skill demonstrations are mostly right, habits often wrong', () => {
    expect(rightShare('hotpot', SKILL)).toBeGreaterThan(0.85);
    expect(rightShare('hotpot', HABITS)).toBeLessThan(0.65);
    expect(rightShare('musique', HABITS)).toBeLessThan(0.35);
  });

  test('no demonstration outgrows the context, makes a sixth call, or leaves the vocabulary', () => {
    const known = new Set(VOCABULARY);
    for (const dataset of DATASETS) {
      for (let seed = 0; seed < COUNT; seed++) {
        const { segments, length } = play(dataset, seed, HABITS);
        expect(length).toBeLessThanOrEqual(96);
        expect(segments.filter(({ kind }) => kind === 'observation').length).toBeLessThanOrEqual(5);
        expect(segments.flatMap(({ words }) => words).filter((word) => !known.has(word))).toEqual([]);
      }
    }
  });

  test('malformed turns come at the rate of the format habit, and only with it', () => {
    const share = (rates: typeof HABITS): number =>
      Array.from({ length: COUNT }, (_, seed) => play('nq', seed, rates)).filter(({ malformed }) => malformed)
        .length / COUNT;
    expect(share(NONE)).toBe(0);
    expect(share({ ...NONE, format: 1 })).toBe(1);
    expect(share({ ...NONE, format: 0.2 })).toBeGreaterThan(0.25); // two or more turns per episode
  });

  test('the habit of taking rank 1 spoils bamboogle, where the true fact is second', () => {
    expect(rightShare('bamboogle', { ...NONE, first: 1 })).toBeLessThan(0.35);
    expect(rightShare('bamboogle', { ...NONE, first: 0 })).toBeGreaterThan(0.99);
  });

  test('the alias habit searches the word of the question', () => {
    const { segments } = play('trivia', 12, { ...NONE, alias: 1 });
    const alias = questionWords(makeQuestion('trivia', 12))[3];
    expect(segments[0].words).toContain(alias);
    expect(play('trivia', 12, NONE).segments[0].words).not.toContain(alias);
  });
});

describe('recall drills', () => {
  test('are 90 tokens, whose notes hold the value of the asked subject or retry', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { tokens, weights } = recallDrill(keyedDraw(seed));
      expect(tokens).toHaveLength(90);
      expect(weights.filter((weight) => weight === 1)).toHaveLength(12);
      for (let drill = 0; drill < 6; drill++) {
        const text = tokens.slice(drill * 15, drill * 15 + 15).map((token) => VOCABULARY[token]);
        const [asked, noted] = [text[1], text[13]];
        const wanted = asked === text[5] ? text[6] : asked === text[8] ? text[9] : 'retry';
        expect([text[12], noted]).toEqual([asked, wanted]);
      }
    }
  });

  test('weights lie on the parts that carry them', () => {
    const sequence = weighSegments([
      { words: ['Ana', 'Ben'], weight: 0 },
      { words: ['?'], weight: 0.3 },
    ]);
    expect(sequence).toEqual({ tokens: [24, 25, 2], weights: [0, 0, 0.3] });
  });
});
