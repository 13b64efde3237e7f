/** What the warm start reads: demonstrations and recall drills of the search world, packed as weighted batches. */
import { keyedDraw, type Draw } from '../../env/hash.ts';
import {
  demonstrate,
  HABITS,
  recallDrill,
  SKILL,
  weighSegments,
  type HabitRates,
  type WeightedSequence,
} from '../../env/search/demonstrations.ts';
import { makeQuestion, questionWords, type Dataset } from '../../env/search/question.ts';
import { indexOf, searchEnvironment } from '../../env/search/search.ts';
import { ROOT, type BatchRow, type TokenBatch } from '../../units.ts';

const OBSERVATION_WEIGHT = 0.3; // observations are learnt too, but lightly: values in them are noise
export const BATCHES_PER_DRAW = 8;
/** Demonstrations use seeds below 2²⁹; held-out questions start at 2³¹ (questions.ts). */
const SEED_LIMIT = 2 ** 29;

/** What a warm start asks: a data set that is named twice is asked twice as often. */
export type Curriculum = readonly Dataset[];

/** One stage of the warm start. */
export interface Stage {
  readonly habits: HabitRates;
  readonly drillShare: number; // of the sequences, [0, 1]
}

/** First clean demonstrations with drills. Then demonstrations with bad habits. */
export const SKILL_STAGE: Stage = { habits: SKILL, drillShare: 0.4 };
export const HABIT_STAGE: Stage = { habits: HABITS, drillShare: 0 };

/** @param skillShare of the steps that come first, [0, 1] */
export const stageOf = (step: number, steps: number, skillShare: number): Stage =>
  step < Math.round(skillShare * steps) ? SKILL_STAGE : HABIT_STAGE;

function demonstration(draw: Draw, habits: HabitRates, datasets: Curriculum): WeightedSequence {
  const dataset = draw.pick(datasets);
  const seed = draw.below(SEED_LIMIT);
  const question = makeQuestion(dataset, seed);
  const segments = demonstrate(indexOf({ dataset, seed }), question, draw, habits);
  return weighSegments([
    { words: questionWords(question), weight: 0 },
    ...segments.map(({ kind, words }) => ({ words, weight: kind === 'turn' ? 1 : OBSERVATION_WEIGHT })),
  ]);
}

/** A sequence of the stage, cut at the context length. */
export function drawSequence(draw: Draw, stage: Stage, datasets: Curriculum): WeightedSequence {
  const { tokens, weights } =
    draw.unit() < stage.drillShare ? recallDrill(draw) : demonstration(draw, stage.habits, datasets);
  const limit = searchEnvironment.contextLength;
  return { tokens: tokens.slice(0, limit), weights: weights.slice(0, limit) };
}

/**
 * Eight consecutive batches, a pure function of its arguments: drawn together, sorted by length and dealt out in
 * random order, as in the learnability runs.
 */
export function drawBatches(
  seed: number,
  firstStep: number,
  stage: Stage,
  batchSize: number,
  datasets: Curriculum,
): readonly (readonly WeightedSequence[])[] {
  const draw = keyedDraw(seed, firstStep);
  const drawn = Array.from({ length: batchSize * BATCHES_PER_DRAW }, () =>
    drawSequence(draw, stage, datasets),
  );
  drawn.sort((a, b) => a.tokens.length - b.tokens.length);
  const places = draw.sample([...Array(BATCHES_PER_DRAW).keys()], BATCHES_PER_DRAW);
  return places.map((place) => drawn.slice(place * batchSize, (place + 1) * batchSize));
}

/** A batch whose loss is the weighted mean surprisal. */
export interface SupervisedBatch {
  readonly batch: TokenBatch; // scored: targets of positive weight; weight sums to 1; advantage 0
  readonly isTurn: Uint8Array; // [S] 1 where the target has full weight, i.e. the policy's own words
}

/** Packs sequences row by row. A row is one turn for the loss kernels; the first token is never a target. */
export function packSequences(sequences: readonly WeightedSequence[]): SupervisedBatch {
  const length = sequences.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const rows: BatchRow[] = [];
  const [tokens, positions, visibleStart, visibleEnd] = [0, 1, 2, 3].map(() => new Uint32Array(length));
  const previous = new Int32Array(length);
  const [predicted, turnIndex] = [0, 1].map(() => new Uint32Array(length)); // more than enough
  const weights = new Float64Array(length);
  const turnStart = [0];
  let place = 0;
  let targets = 0;
  sequences.forEach((sequence, row) => {
    const tokenStart = place;
    const scoredStart = targets;
    const tokenEnd = tokenStart + sequence.tokens.length;
    visibleStart.fill(tokenStart, tokenStart, tokenEnd);
    visibleEnd.fill(tokenEnd, tokenStart, tokenEnd);
    for (let position = 0; place < tokenEnd; position++, place++) {
      tokens[place] = sequence.tokens[position];
      positions[place] = position;
      previous[place] = position === 0 ? -1 : place - 1;
      if (position === 0 || sequence.weights[position] <= 0) continue;
      predicted[targets] = place;
      turnIndex[targets] = row;
      weights[targets++] = sequence.weights[position];
    }
    turnStart.push(targets);
    rows.push({
      prompt: row,
      leaf: ROOT,
      length: sequence.tokens.length,
      tokenStart,
      tokenEnd,
      scoredStart,
      scoredEnd: targets,
      spans: [],
    });
  });
  const given = weights.subarray(0, targets);
  const total = given.reduce((sum, weight) => sum + weight, 0);
  return {
    isTurn: new Uint8Array(targets).map((_, s) => (given[s] === 1 ? 1 : 0)),
    batch: {
      rows,
      tokens,
      positions,
      previous,
      visibleStart,
      visibleEnd,
      predicted: predicted.slice(0, targets),
      scored: new Uint32Array(targets).map((_, s) => s),
      turnStart: Uint32Array.from(turnStart),
      turnRow: Uint32Array.from(rows.keys()),
      turnIndex: turnIndex.slice(0, targets),
      weight: new Float32Array(targets).map((_, s) => given[s] / total),
      advantage: new Float32Array(targets),
    },
  };
}
