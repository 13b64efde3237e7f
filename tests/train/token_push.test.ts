import { beforeAll, expect, test } from 'vitest';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN, type UpdateState } from '../../src/store/record/run_state.ts';
import { tokenQuestion } from '../../src/store/ask/token_question.ts';
import type { TokenQuestion } from '../../src/protocol/protocol.ts';
import { pushOnLogits } from '../../src/train/inspect/token_push.ts';
import type { NodeId, TokenId } from '../../src/units.ts';
import { refusalOf } from '../support/questions.ts';
import { scriptedEngine, scriptedRun, smallConfig } from '../support/scripted_run.ts';

const config = smallConfig({ evaluation: { every: 0, questions: 0, datasets: ['hotpot'] } });

const logits = Float32Array.from({ length: 23 }, (_, k) => 2 * Math.sin(1.7 * k + 0.3));
const chosen = 4 as TokenId;
const given = { chosen, temperature: 0.7, dlogProb: -0.3, dentropy: 0.05 };

/** The loss as a function of the logits, to first order in log-probability and entropy. */
function loss(at: Float64Array): number {
  const sum = at.reduce((total, z) => total + Math.exp(z / given.temperature), 0);
  const logProbs = at.map((z) => z / given.temperature - Math.log(sum));
  const entropy = -logProbs.reduce((total, logProb) => total + Math.exp(logProb) * logProb, 0);
  return given.dlogProb * logProbs[chosen] + given.dentropy * entropy;
}

test('pushes are the derivative of the loss by each logit, by central differences', () => {
  const answer = pushOnLogits(logits, given);
  const slope = (k: number): number => {
    const moved = (by: number) => Float64Array.from(logits, (z, index) => (index === k ? z + by : z));
    return (loss(moved(1e-4)) - loss(moved(-1e-4))) / 2e-4;
  };
  for (const { token, dlogit } of [...answer.top, answer.chosen]) expect(dlogit).toBeCloseTo(slope(token), 8);
  const shown = answer.top.some(({ token }) => token === chosen)
    ? answer.top
    : [...answer.top, answer.chosen];
  expect(shown.length + answer.others.count).toBe(logits.length);
  expect(shown.reduce((sum, { dlogit }) => sum + dlogit, answer.others.dlogit)).toBeCloseTo(0, 12);
  const probability = shown.reduce((sum, { logProb }) => sum + Math.exp(logProb), answer.others.probability);
  expect(probability).toBeCloseTo(1, 12);
});

test('alternatives stand by probability, and the chosen token keeps its rank', () => {
  const { top, rank, chosen: own } = pushOnLogits(logits, given);
  expect(top).toHaveLength(8);
  expect(top.map(({ logProb }) => logProb)).toEqual(
    top.map(({ logProb }) => logProb).toSorted((a, b) => b - a),
  );
  expect(rank).toBe(1 + [...logits].filter((z) => z > logits[chosen]).length);
  expect(own.token).toBe(chosen);
  expect(own.dlogit).toBeLessThan(0); // dlogProb < 0: the step makes it more likely
});

let update: UpdateState;
let question: TokenQuestion;
let leaf: NodeId;

beforeAll(async () => {
  [update] = foldEvents(EMPTY_RUN, await scriptedRun(config)).updates;
  const [{ rows }] = update.minibatches;
  const { prompt, tokenIndex } = rows[0];
  leaf = rows[0].leaf;
  question = tokenQuestion(config, update, update.trees[prompt], leaf, tokenIndex[0])!;
});

test('a question sums the gradient over the rows that share the prediction, by their tokens', () => {
  const [{ rows }] = update.minibatches;
  const tree = update.trees[question.prompt];
  const position = question.tokens.length - 1;
  const wanted = rows.filter((row) => {
    if (row.prompt !== question.prompt) return false;
    let tokens = [...tree.nodes[row.leaf]!.tokens];
    for (let id = tree.nodes[row.leaf]!.parent; id !== null; id = tree.nodes[id]!.parent)
      tokens = [...tree.nodes[id]!.tokens, ...tokens];
    return [...tree.prompt.tokens, ...tokens].slice(0, position + 1).join() === question.tokens.join();
  });
  expect(wanted.length).toBeGreaterThan(1);
  expect(question.readers).toBe(wanted.length);
  const sum = wanted.reduce((total, row) => total + row.dlogProb[row.tokenIndex.indexOf(position)], 0);
  expect(question.dlogProb).toBeCloseTo(sum, 12);
  expect(tokenQuestion(config, update, tree, leaf, 0)).toBeNull(); // the question has no loss
});

test('the engine answers from the run’s model where one is open, and says whose parameters it asked', async () => {
  const { engine, events, backend, send, ask } = scriptedEngine(config);
  await engine.start();
  const answer = await ask({ kind: 'inspect-token', ...question });
  expect(answer).toMatchObject({ update: 1, prompt: question.prompt, leaf, parameters: 'starting' });
  expect(answer.position).toBe(question.tokens.length - 1);
  expect(answer.chosen.token).toBe(question.tokens.at(-1));
  expect(backend.policies[0].calls).toEqual(['nextLogits']);
  expect(backend.policies[0].disposed).toBe(true);
  await send({ kind: 'open', config });
  await send({ kind: 'step-update' });
  await expect.poll(() => events.some((event) => event.kind === 'metrics')).toBe(true);
  expect((await ask({ kind: 'inspect-token', ...question })).parameters).toBe('current');
  expect(backend.policies).toHaveLength(2); // none was made for the second question
  expect(backend.policies[1].readers.map(({ calls, disposed }) => [calls, disposed])).toEqual([
    [['nextLogits'], true],
  ]);
});

test('a question that is not valid is refused by its field', async () => {
  const { engine, ask } = scriptedEngine(config);
  await engine.start();
  const refused = async (changes: Partial<TokenQuestion>) =>
    (await refusalOf(ask({ kind: 'inspect-token', ...question, ...changes }))).where;
  expect(await refused({ tokens: question.tokens.slice(0, 1) })).toBe('question.tokens');
  expect(await refused({ tokens: [0 as TokenId, 9999 as TokenId] })).toBe('question.tokens.1');
  expect(await refused({ dlogProb: NaN })).toBe('question.dlogProb');
});
