import { beforeAll, expect, test } from 'vitest';
import { foldEvents } from '../../src/store/record/fold.ts';
import { gradientQuestion } from '../../src/store/ask/inspection.ts';
import { EMPTY_RUN, type UpdateState } from '../../src/store/record/run_state.ts';
import type { GradientQuestion } from '../../src/protocol/protocol.ts';
import { environmentNamed } from '../../src/train/config/config.ts';
import { gradientAngles } from '../../src/train/inspect/gradient_angles.ts';
import type { AdvantageRule, GradientSource, LossConfig } from '../../src/units.ts';
import { ScriptedPolicy } from '../support/scripted_policy.ts';
import { refusalOf } from '../support/questions.ts';
import { scriptedEngine, scriptedRun, smallConfig } from '../support/scripted_run.ts';

const config = smallConfig({ evaluation: { every: 0, questions: 0, datasets: ['hotpot'] } });
const rule = (advantageRule: AdvantageRule) => ({ ...config.algorithm.credit, advantageRule });
const RULES = [rule('node_value'), rule('vanilla'), rule('node_value')];

let update: UpdateState;
let question: GradientQuestion;

beforeAll(async () => {
  [update] = foldEvents(EMPTY_RUN, await scriptedRun()).updates;
  question = gradientQuestion(config, update, RULES)!;
});

test('the gradients of rules are compared on all rollouts, on a policy made for it where no run is open', async () => {
  const { engine, backend, ask } = scriptedEngine(config);
  await engine.start();
  const answer = await ask({ kind: 'compare-gradients', ...question });
  expect(answer).toMatchObject({ update: 1, rules: RULES, parameters: 'starting' });
  const { cosines, norms } = answer;
  norms.forEach((_, row) => expect(cosines[row][row]).toBeCloseTo(1, 6));
  expect(cosines[0][2]).toBeCloseTo(1, 6); // the same rule twice
  expect(Math.abs(cosines[0][1])).toBeLessThan(0.999);
  expect(answer.scoredTokens).toBeGreaterThan(100);
  const [policy] = backend.policies;
  expect(policy.calls).toEqual(['score', 'gradientCosines']);
  expect(policy.disposed).toBe(true);
});

test('the same rollouts after an update of the same run are asked at its present parameters', async () => {
  const { engine, events, backend, send, ask } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  await send({ kind: 'step-update' });
  await expect.poll(() => events.some((event) => event.kind === 'metrics')).toBe(true);
  expect((await ask({ kind: 'compare-gradients', ...question })).parameters).toBe('current');
  expect(backend.policies).toHaveLength(1);
});

test('the loss is the run’s, with its reduction; one without advantages gives way to the clipped one', async () => {
  const environment = environmentNamed('search');
  const asked = (loss: Partial<LossConfig>) => {
    const sources: GradientSource[] = [];
    const policy = new ScriptedPolicy({ environment, promptsOf: () => [] });
    policy.gradientCosines = (losses) => {
      sources.push(...losses);
      return Promise.resolve({ norms: [], cosines: [] });
    };
    const { algorithm } = question.config;
    const own = { ...question.config, algorithm: { ...algorithm, loss: { ...algorithm.loss, ...loss } } };
    return gradientAngles(policy, environment, { ...question, config: own }).then(() => sources[0]);
  };
  const tokenMean = await asked({ reduction: 'token-mean', surrogate: 'regression' });
  expect(new Set(tokenMean.batch.weight).size).toBe(1); // every token alike
  expect(tokenMean.inputs.loss.surrogate).toBe('clip');
  const rowMean = await asked({ surrogate: 'gate' });
  expect(new Set(rowMean.batch.weight).size).toBeGreaterThan(1); // rows differ in length
  expect(rowMean.inputs.loss.surrogate).toBe('gate');
});

test('a question that is not valid is refused by its field', async () => {
  const { engine, ask } = scriptedEngine(config);
  await engine.start();
  const refused = (rules: GradientQuestion['rules']) =>
    refusalOf(ask({ kind: 'compare-gradients', ...question, rules }));
  const few = await refused(RULES.slice(0, 1));
  expect(few).toMatchObject({ where: 'question.rules', wanted: 'at least two rules' });
  expect((await refused([...RULES, rule('remax')])).what).toContain('remax reads baseline');
});
