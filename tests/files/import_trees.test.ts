/** Trees from common prefixes, changed by hand; imports as run records; what a person may choose. */
import { describe, expect, test } from 'vitest';
import { readRecording, writeRecording } from '../../src/files/recording.ts';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { ImportError } from '../../src/files/rollouts/rollout.ts';
import { delimitersOf, parseDelimiters, splitResponse } from '../../src/files/rollouts/text.ts';
import { mergeNodes, mergesOf, splitNode, treeOf } from '../../src/files/rollouts/trees.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { worthOf } from '../../src/store/credit/advantage_range.ts';
import { creditRulesOf } from '../../src/store/credit/credit.ts';
import { createLab } from '../../src/store/lab/lab.ts';
import { missingIn } from '../../src/store/record/needs.ts';
import { importFixture, importText } from '../support/imports.ts';

/** The three rows of ATPO's first tree: same for two turns, one parts after the first. */
const atpo = async () => treeOf((await importFixture('atpo_dump.jsonl')).rollouts.filter(({ reward }) => reward !== -1)); // prettier-ignore

describe('trees', () => {
  test('rows part where they differ; the last turn of each is its own', async () => {
    const tree = await atpo();
    expect(tree.paths).toEqual([[1, 2], [1, 3, 4], [1, 3, 5]]); // prettier-ignore
    expect(mergesOf(tree)).toEqual([{ node: 1, turns: 1, rows: [0, 1, 2] }, { node: 3, turns: 2, rows: [1, 2] }]); // prettier-ignore
    expect(tree.nodes.map(({ isInferred }) => isInferred)).toEqual([false, true, false, true, false, false]);
  });

  test('equal rows stay two leaves, rows of one rollout share turns that are not inferred', async () => {
    const [one] = (await importFixture('chat.jsonl')).rollouts;
    expect(treeOf([one, { ...one }]).paths).toEqual([[1, 2], [1, 3]]); // prettier-ignore
    const { rollouts } = await importFixture('prime_rl');
    const own = treeOf([rollouts[1]]);
    expect([own.paths, own.nodes.some(({ isInferred }) => isInferred)]).toEqual([[[1, 2], [1, 3]], false]); // prettier-ignore
  });

  test('a split gives rows turns of their own, a merge puts them back', async () => {
    const tree = await atpo();
    const split = splitNode(tree, 3, [2]);
    expect(split.paths).toEqual([[1, 2], [1, 3, 4], [1, 5, 6]]); // prettier-ignore
    expect(mergesOf(split)).toEqual([{ node: 1, turns: 1, rows: [0, 1, 2] }]);
    expect(mergeNodes(split, 3, 5)).toEqual(tree);
    const apart = splitNode(tree, 1, [0]);
    expect(apart.paths).toEqual([[1, 2], [3, 4, 5], [3, 4, 6]]); // prettier-ignore
    expect(mergeNodes(apart, 1, 3)).toEqual(tree);
  });

  test('what cannot be split or merged is refused', async () => {
    const tree = await atpo();
    expect(() => splitNode(tree, 3, [1, 2])).toThrow(ImportError);
    expect(() => splitNode(tree, 3, [0])).toThrow(ImportError);
    expect(() => splitNode(tree, 0, [0])).toThrow(ImportError);
    expect(() => mergeNodes(tree, 2, 3)).toThrow(/differ/);
    expect(() => mergeNodes(tree, 4, 5)).toThrow(ImportError);
    expect(() => mergeNodes(tree, 1, 4)).toThrow(/different places/);
  });
});

const recordOf = async (name: string, unit: 'words' | 'tokens' = 'words'): Promise<readonly RunEvent[]> => {
  const { rollouts } = await importFixture(name);
  const written = await writeRecording(toRecord(rollouts, { file: name, format: 'f', unit }));
  const events: RunEvent[] = [];
  for await (const event of readRecording(new Blob([written]))) events.push(event); // its guard has passed them
  return events;
};
const ofKind = <K extends RunEvent['kind']>(events: readonly RunEvent[], kind: K) =>
  events.filter((event) => event.kind === kind) as Extract<RunEvent, { kind: K }>[];

describe('records', () => {
  test('a step is an update, a group a tree, a turn a node with its words', async () => {
    const events = await recordOf('verl_0_6');
    expect(ofKind(events, 'update-started').map(({ update, prompts }) => [update, prompts.length])).toEqual([[1, 2], [2, 1]]); // prettier-ignore
    const texts = ofKind(events, 'texts').flatMap((event) => event.texts);
    const nodes = ofKind(events, 'node').filter(({ update, prompt }) => update === 1 && prompt === 0);
    const words = nodes.map(({ node }) => node.tokens.map((token) => texts[token]).join(''));
    expect(words[1]).toBe('\nAda Lovelace was born in London.\nLondon');
    expect(nodes[1].node.mask).toEqual([0, 0, 0, 0, 0, 0, 1]);
    expect(nodes.map(({ node }) => [node.parent, node.depth, node.callCount, node.origin])).toMatchObject([
      [0, 0, 1, { kind: 'imported', inferred: true }],
      [1, 1, 1, { kind: 'imported', inferred: false }],
      [1, 1, 1, { kind: 'imported', inferred: false }],
      [0, 0, 0, { kind: 'imported', inferred: false }],
    ]);
    for (const { node } of nodes) {
      const { spans } = node.origin as Extract<typeof node.origin, { kind: 'imported' }>;
      const written = spans!.flatMap(({ author, tokens }) =>
        Array<number>(tokens).fill(Number(author === 'policy')),
      );
      expect(written).toEqual(node.mask);
    }
    expect(ofKind(events, 'leaves')[0].leaves).toEqual([4, 2, 3]);
    expect(ofKind(events, 'rewards')[0].trees[0].byNode).toEqual([null, null, 1, 0.5, 0]);
    expect(ofKind(events, 'rewards')[1]).toBeUndefined(); // one of its rewards is unknown
  });

  test('what nobody knows is null: configuration, log-probabilities, surprisal', async () => {
    const events = await recordOf('chat.jsonl');
    expect(ofKind(events, 'run-started')[0]).toMatchObject({ config: null, environment: null, origin: { kind: 'imported' } }); // prettier-ignore
    for (const { node } of ofKind(events, 'node'))
      expect([node.logProb, node.entropy, node.turnSurprisal]).toEqual([null, null, null]);
    expect(ofKind(events, 'rewards')).toEqual([]);
  });

  test('tokens of a file keep their log-probabilities; the surprisal of a turn is known either way', async () => {
    const asTokens = ofKind(await recordOf('verl_mlflow.jsonl', 'tokens'), 'node').map(({ node }) => node);
    expect(asTokens[1].logProb).toEqual([0, 0, 0, -1, -0.125]);
    expect(asTokens.map(({ turnSurprisal }) => turnSurprisal)).toEqual([0.375, 0.5625, 0.5625]);
    const asWords = ofKind(await recordOf('verl_mlflow.jsonl'), 'node').map(({ node }) => node);
    expect(asWords.map(({ turnSurprisal, logProb }) => [turnSurprisal, logProb])).toEqual([[0.375, null], [0.5625, null], [0.5625, null]]); // prettier-ignore
  });

  test('advantages that the trainer used are its credit, where all rows of a turn agree', async () => {
    const [credit] = ofKind(await recordOf('prime_rl'), 'credit');
    expect(credit.trees).toMatchObject([{ valueRule: null, values: null, advantages: [null, null, 0.5, -0.5, -0.5] }]); // prettier-ignore
    const [own] = ofKind(await recordOf('trl'), 'credit');
    expect(own.trees[0].advantages).toEqual([null, 0.7, 0.7, -0.7]);
  });

  test('it opens on the shelf, and credit is computed on its trees', async () => {
    const { rollouts } = await importFixture('atpo_dump.jsonl');
    const written = await writeRecording(toRecord(rollouts, { file: 'atpo_dump.jsonl', format: 'verl' }));
    const lab = createLab(() => undefined, '', readRecording);
    await lab.shelf.open(Object.assign(new Blob([written]), { name: 'atpo_dump.jsonl' }));
    const { runs, failure } = lab.shelf.getState();
    expect([failure, runs[0].title]).toEqual([null, 'atpo_dump.jsonl (verl), 1 update']);
    const state = runs[0].record.getState();
    const [{ trees }] = state.updates;
    const { values } = worthOf(trees[0], creditRulesOf(state)!, trees, false);
    const right = 1 / Math.SQRT2; // rewards 1, 0, 1 have mean 2/3 and deviation √2/3
    const byHand = [right / 4, right / 4, right, -right / 2, -2 * right, right]; // means of children
    values!.forEach((value, id) => expect(value).toBeCloseTo(byHand[id], 5));
    expect(values).toHaveLength(byHand.length);
    expect(missingIn('tree', { run: state, tree: trees[0] })).toContainEqual(expect.stringContaining('no log-probabilities')); // prettier-ignore
  });

  test('every fixture becomes a record that opens', async () => {
    for (const name of [
      'verifiers_v1_episodes.jsonl',
      'inspect_qa.eval',
      'ragen.jsonl',
      'rllm',
      'verl_weave.jsonl',
      'verl_0_9_train.jsonl',
      'nemo_gym_math_with_code.jsonl',
    ])
      for (const unit of ['words', 'tokens'] as const)
        expect(ofKind(await recordOf(name, unit), 'leaves').length, name).toBeGreaterThan(0);
  });
});

describe('what a person may choose', () => {
  const row = {
    input: 'Q',
    output: 'look <out>found</out> answer',
    score: 0,
    step: 1,
    acc: 1,
    meta: { task: 7 },
  };
  const text = `${JSON.stringify(row)}\n${JSON.stringify({ ...row, input: 'Q again' })}\n`;

  test('the reward’s field, the group’s field, the delimiters', async () => {
    const { summary } = await importText(text, {
      reward: 'acc',
      group: 'meta.task',
      delimiters: '<out>…</out>',
    });
    expect([summary.rewards, summary.groups, summary.groupedBy]).toEqual([[1, 1], 1, 'meta.task']);
    expect([summary.turns, summary.observations]).toEqual([4, 2]);
    const { summary: plain } = await importText(text);
    expect([plain.rewards, plain.groups, plain.turns]).toEqual([[0, 0], 2, 2]);
  });

  test('the format: one that does not fit refuses every row, one that does not exist is named', async () => {
    const { summary } = await importText(text, { format: 'skyrl' });
    expect([summary.rollouts, summary.refusedCount]).toEqual([0, 2]);
    await expect(importText(text, { format: 'verle' })).rejects.toThrow(/one of .*verl/);
    await expect(importText(text, { delimiters: 'no such' })).rejects.toThrow(ImportError);
  });
});

describe('decoded text', () => {
  const authors = (text: string) => splitResponse(text).map(({ author, guessed }) => `${author}${guessed ? '?' : ''}`); // prettier-ignore

  test('is told apart by its delimiters', () => {
    expect(delimitersOf('a<|im_end|>\n<|im_start|>user\nb').kind).toBe('chatml');
    expect(delimitersOf('a\ntool\nb\nassistant\nc').kind).toBe('stripped');
    expect(delimitersOf('<search>a</search><result>b</result>')).toEqual(parseDelimiters('result'));
    expect(delimitersOf('one answer').kind).toBe('none');
  });

  test('role lines within a tool result are its words; another reading is said', () => {
    const result = (body: string) => `x\nuser\n<tool_response>\n${body}\n</tool_response>\nassistant\ny`;
    expect(authors(result('fine'))).toEqual(['policy', 'tool', 'policy']);
    expect(authors(result('a\nassistant\nb\ntool\nc'))).toEqual(['policy?', 'tool?', 'policy']);
    expect(splitResponse(result('a\nassistant\nb'))[1].text).toBe('a\nassistant\nb');
    expect(authors(result('a\n</tool_response>\n<tool_response>\nb'))).toEqual(['policy', 'tool', 'policy']);
    expect(splitResponse(result('a\n</tool_response>\n<tool_response>\nb'))[1].text).toBe('a\nb');
    expect(authors(`${result('a')}\n</tool_response>`)).toEqual(['policy?', 'tool?', 'policy']);
    expect(authors('x\ntool\na\nassistant\ny\nassistant\nz')).toEqual(['policy?', 'tool?', 'policy']);
  });

  test('a line “user” that no turn follows is the policy’s own; a result that ends the text has no turn after it', () => {
    expect(authors('print\nuser\nname')).toEqual(['policy']);
    expect(authors('x\ntool\nthe end')).toEqual(['policy?', 'tool?']);
    expect(authors('x\nuser\n<tool_response>\na\n</tool_response>\nassistant\n')).toEqual(['policy', 'tool']);
  });

  test('a tag that the policy wrote itself is doubtful; one that is never closed is its own words', () => {
    expect(authors('<search>q</search><information>a</information>b')).toEqual(['policy', 'tool', 'policy']);
    expect(authors('I read <information>a</information>b')).toEqual(['policy?', 'tool?', 'policy']);
    expect(authors('<search>q</search><result>a</result><result>b')).toEqual(['policy', 'tool', 'policy']);
  });
});
