/** Held-out scores at any weights of a run: the questions, keys and grading of the run's own evaluations. */
import * as v from 'valibot';
import type { HeldOut, HeldOutQuestion } from '../../protocol/inspection.ts';
import { whole } from '../../protocol/schema.ts';
import { environmentNamed, parseRunConfig } from '../config/config.ts';
import { gradeHeldOut, rightAnswers, scoresOf } from '../run/evaluate.ts';
import { checked, fieldOf, placeIn, withPolicy, type QuestionKind } from './question.ts';

const MOST_QUESTIONS = 1000;

export const evaluateHeldOut: QuestionKind<HeldOutQuestion, HeldOut> = {
  parse(value) {
    const config = parseRunConfig(fieldOf(value, 'config'));
    const { datasets } = environmentNamed(config.environment);
    const schema = v.object({
      update: whole(0, 1_000_000),
      questions: whole(1, MOST_QUESTIONS),
      datasets: v.pipe(v.array(v.picklist(datasets)), v.minLength(1)),
    });
    const report = {
      what: 'Such held-out questions cannot be asked',
      next: `Name data sets of ${config.environment} and from 1 to ${MOST_QUESTIONS} questions.`,
    };
    return { config, ...checked(schema, value, report), ...placeIn(value) };
  },
  answer: (question, lender, signal) =>
    withPolicy(lender, question, signal, async ({ policy, environment, parameters }) => {
      const { config, update, questions, datasets } = question;
      const scores: HeldOut['scores'][number][] = [];
      const observer = { onRound: () => signal.throwIfAborted(), signal };
      for (const dataset of datasets)
        for (const greedy of [false, true]) {
          const temperature = greedy ? 0 : config.temperature;
          const of = { policy, environment, dataset, questions, seed: config.seed, temperature, observer };
          const grades = await gradeHeldOut(of);
          scores.push({ dataset, greedy, ...scoresOf(grades), right: rightAnswers(grades) });
        }
      return { update, questions, scores, parameters };
    }),
};
