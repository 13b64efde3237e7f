import { beforeAll, expect, test } from 'vitest';
import { environments } from '../../src/env/index.ts';
import type { InterventionAnswer, InterventionQuestion, EngineEvent } from '../../src/protocol/protocol.ts';
import { handQuestion, observationOf, type HandWish } from '../../src/store/ask/hand_tree.ts';
import { foldEvents } from '../../src/store/record/fold.ts';
import { EMPTY_RUN, type TreeState } from '../../src/store/record/run_state.ts';
import { intervene, interventionKey } from '../../src/train/inspect/intervention.ts';
import { trainingPrompts } from '../../src/train/run/prompts.ts';
import type { GenerateRequest, TokenId, TurnNode, TurnSampler } from '../../src/units.ts';
import { ScriptedPolicy } from '../support/scripted_policy.ts';
import { refusalOf } from '../support/questions.ts';
import { scriptedEngine, scriptedRun, smallConfig, withoutTimes } from '../support/scripted_run.ts';

const config = smallConfig({ evaluation: { every: 0, questions: 0, datasets: ['hotpot'] } });
const environment = environments.search;
const { vocabulary } = environment;

/** The scripted policy, and every request that it was sent. */
function listening() {
  const requests: GenerateRequest[] = [];
  const policy = new ScriptedPolicy({
    environment,
    promptsOf: ({ update }) =>
      trainingPrompts(environment, config.datasets, config.promptsPerUpdate, { seed: config.seed, update }),
  });
  const generate = policy.generate.bind(policy);
  policy.generate = (asked) => {
    requests.push(...asked);
    return generate(asked);
  };
  return { policy, requests };
}

let log: readonly EngineEvent[];
let tree: TreeState;
let called: TurnNode; // a turn that a tool result opened, and that called again

beforeAll(async () => {
  log = await scriptedRun(config);
  const trees = foldEvents(EMPTY_RUN, log).updates[0].trees;
  const answers = (state: TreeState): TurnNode | undefined =>
    state.nodes.find((node) => node?.depth === 1 && node.ending === null && !node.pruned);
  tree = trees.find((state) => answers(state) !== undefined)!;
  called = answers(tree)!;
});

const ask = (wish: Partial<HandWish> & Pick<HandWish, 'action'>): InterventionQuestion =>
  handQuestion(tree, { config, update: 1 }, { node: called.id, count: 2, seed: 7, ...wish })!;
const play = async (question: InterventionQuestion) => {
  const { policy, requests } = listening();
  const answer = await intervene(policy, environment, question);
  const heads = answer.nodes.filter(({ parent }) => parent !== null && parent < answer.first);
  return { ...answer, heads, requests };
};
const contextOf = (question: InterventionQuestion): readonly TokenId[] => [
  ...question.prompt.tokens,
  ...question.path.flatMap(({ tokens }) => tokens),
  ...(question.opening?.tokens ?? []),
];

test('a turn sampled again stands beside it, starts with the same result, and plays on to its leaves', async () => {
  const { first, nodes, heads, rewards, requests } = await play(ask({ action: 'again', count: 3 }));
  expect(heads).toHaveLength(3);
  expect(first).toBe(1 + called.depth); // the question and the turns before it
  for (const head of heads) {
    expect(observationOf(head)).toEqual(observationOf(called));
    expect(head.depth).toBe(called.depth);
  }
  expect(requests[0].context).toEqual(contextOf(ask({ action: 'again' })));
  const leaves = nodes.filter(({ ending }) => ending !== null);
  expect(leaves.length).toBeGreaterThanOrEqual(3);
  nodes.forEach(({ ending }, place) => expect(rewards[place] !== null).toBe(ending !== null));
});

test('going on after a turn asks the environment, which answers every call of the tree as it did', async () => {
  const callers = tree.nodes.filter((node) => node && node.parent !== null && node.children.length > 0);
  expect(callers.length).toBeGreaterThan(2);
  for (const caller of callers) {
    const own = tree.nodes[caller!.children[0]]!;
    const { heads } = await play(ask({ action: 'after', node: caller!.id }));
    for (const head of heads) expect(observationOf(head)).toEqual(observationOf(own));
    expect(heads.map(({ depth }) => depth)).toEqual([own.depth, own.depth]);
  }
});

test('an edited result is what the policy reads, and the tools answer on from where they stood', async () => {
  const observation = ['<result>', vocabulary[40], vocabulary[41], '</result>'].map(
    (word) => vocabulary.indexOf(word) as TokenId,
  );
  const question = ask({ action: 'edit', observation });
  const { heads, requests, nodes } = await play(question);
  expect(requests[0].context.slice(-4)).toEqual(observation);
  expect(requests[0].context).toEqual(contextOf(question));
  for (const head of heads) {
    expect(head.tokens.slice(0, 4)).toEqual(observation);
    expect(head.mask.slice(0, 5)).toEqual([0, 0, 0, 0, 1]);
  }
  expect(requests[0].context).not.toEqual(contextOf(ask({ action: 'again' })));
  expect(Math.max(...nodes.map(({ callCount }) => callCount))).toBeLessThanOrEqual(environment.callLimit + 1);
});

test('the calls of the path count: the environment ends a path at its call limit', async () => {
  const search = tree.nodes.find((node) => node?.origin.kind === 'initial' && node.ending === null)!;
  const asks = search.tokens.slice(0, search.lastGenerationLength);
  const caller: TurnSampler & { beginRollout: () => void } = {
    beginRollout: () => undefined,
    generate: (asked) =>
      Promise.resolve(
        asked.map(() => ({
          tokens: asks,
          logProb: asks.map(() => -0.5),
          entropy: asks.map(() => 0.5),
          finish: 'stop' as const,
        })),
      ),
  };
  const question = ask({ action: 'again', count: 1 });
  const { nodes } = await intervene(caller as unknown as ScriptedPolicy, environment, question);
  const leaf = nodes.find(({ ending }) => ending !== null)!;
  const calls = question.path.length + nodes.length - 1; // answered ones
  if (leaf.ending === 'call-limit') expect(calls).toBe(environment.callLimit);
  else {
    expect(leaf.ending).toBe('length');
    const row = [...contextOf(question), ...nodes.flatMap(({ tokens }) => tokens)];
    expect(row.length).toBeLessThanOrEqual(environment.contextLength + environment.turnTokenLimit);
  }
});

test('a result that fills the context leaves a leaf without a word', async () => {
  const observation = Array.from({ length: environment.contextLength }, () => 5 as TokenId);
  const { heads, nodes, requests, rewards } = await play(ask({ action: 'edit', observation }));
  expect(heads.map(({ ending }) => ending)).toEqual(['length', 'length']);
  expect(nodes).toHaveLength(2);
  expect(requests).toEqual([]);
  expect(rewards).toEqual([-1, -1]);
});

test('the same question has the same words, another seed others, and none are the run’s own', async () => {
  const words = async (question: InterventionQuestion): Promise<string> =>
    JSON.stringify((await play(question)).nodes);
  const question = ask({ action: 'again', count: 4 });
  expect(await words(question)).toBe(await words(question));
  const key = interventionKey(question);
  expect(key.seed).not.toBe(config.seed);
  expect(interventionKey({ ...question, seed: 8 }).seed).not.toBe(key.seed);
  expect(interventionKey({ ...question, node: question.node + 1 }).seed).not.toBe(key.seed);
});

test('the engine answers for a run that is not open, from its starting parameters', async () => {
  const { engine, backend } = scriptedEngine(config);
  await engine.start();
  const question = ask({ action: 'again' });
  const answer = await engine.ask({ kind: 'intervene', ...question });
  const { nodes, rewards } = await play(question);
  expect(answer).toMatchObject({ nodes, rewards });
  expect(answer.policy).toEqual({
    parameters: 'starting',
    update: 0,
    stepped: false,
    status: 'idle',
  });
  expect(backend.policies.map(({ disposed }) => disposed)).toEqual([true]);
});

test('a run asked at every phase goes on bit for bit as if nobody had asked', async () => {
  const { engine, events, backend, send, onEvent, until } = scriptedEngine(config);
  await engine.start();
  await send({ kind: 'open', config });
  let asked = 0;
  const answers: Promise<InterventionAnswer>[] = [];
  onEvent((event) => {
    if (event.kind !== 'phase') return;
    asked += 1;
    answers.push(engine.ask({ kind: 'intervene', ...ask({ action: asked % 2 ? 'again' : 'after' }) }));
  });
  const over = until((event) => event.kind === 'status' && event.status === 'finished');
  await send({ kind: 'play' });
  await over;
  const policies = (await Promise.all(answers)).map(({ policy }) => policy);
  expect(asked).toBe(log.filter(({ kind }) => kind === 'phase').length);
  expect(events.map(withoutTimes)).toEqual(log);
  expect(policies.every(({ parameters }) => parameters === 'current')).toBe(true);
  expect(policies.some(({ stepped }) => stepped)).toBe(true);
  const [policy, ...others] = backend.policies;
  expect(others).toEqual([]);
  expect(policy.readers.map(({ disposed }) => disposed)).toEqual(Array.from({ length: asked }, () => true));
});

test('a question that is not valid is refused by its field, and a path that cannot be is named', async () => {
  const { engine } = scriptedEngine(config);
  await engine.start();
  const question = ask({ action: 'again' });
  const refused = async (changes: Partial<InterventionQuestion>) =>
    (await refusalOf(engine.ask({ kind: 'intervene', ...question, ...changes }))).where;
  expect(await refused({ count: 0 })).toBe('question.count');
  expect(await refused({ opening: { ...question.opening!, mask: [] } })).toBe('question.opening');
  const outside = [{ ...question.path[0], tokens: [9999 as TokenId] }];
  expect(await refused({ path: outside })).toBe('question.path.0.tokens.0');
  const broken = question.path.map((turn) => ({ ...turn, tokens: turn.tokens.map(() => 5 as TokenId) }));
  expect(await refused({ path: broken })).toBe(`prompt ${tree.prompt.index}, turn 1 of the path`);
});
