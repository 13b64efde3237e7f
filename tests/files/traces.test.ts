/** Traces of our runs: as verifiers v1 has them, and read here again as the trees that they are of. */
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { toRecord } from '../../src/files/rollouts/record.ts';
import { tracesOfLog } from '../../src/files/rollouts/traces.ts';
import { algorithms, type AlgorithmName } from '../../src/algo/catalogue/index.ts';
import { isLogged, type EventOf, type RunEvent } from '../../src/protocol/protocol.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { importText } from '../support/imports.ts';
import { scriptedRun, smallConfig } from '../support/scripted_run.ts';

async function logOf(name: AlgorithmName): Promise<readonly RunEvent[]> {
  const base = smallConfig({ updates: 1, promptsPerUpdate: 2, promptsPerMinibatch: 1, seed: 5 });
  const config = withAlgorithm(base, algorithms[name].config);
  return (await scriptedRun({ ...config, evaluation: { ...config.evaluation, questions: 0 } })).filter(isLogged); // prettier-ignore
}

type Of<Kind extends RunEvent['kind']> = EventOf<Kind>;
const ofKind = <Kind extends RunEvent['kind']>(log: readonly RunEvent[], kind: Kind) =>
  log.filter((event) => event.kind === kind) as unknown as readonly Of<Kind>[];

/** A tree apart from the numbers of its nodes: by path of words, what stands at each row's end. */
interface Shape {
  readonly rows: readonly {
    readonly words: readonly string[]; // of each node on the path
    readonly nodes: readonly number[]; // numbered as they first appear: tells shared nodes from equal ones
    readonly advantages: readonly (number | null)[];
    readonly values: readonly (number | null)[];
    readonly reward: number | null;
    readonly ending: string | null;
    readonly logProb: readonly unknown[];
    readonly entropy: readonly unknown[];
    readonly surprisal: readonly (number | null)[];
  }[];
}

function shapesOf(log: readonly RunEvent[]): readonly Shape[] {
  const started = ofKind(log, 'run-started')[0];
  const texts = [
    ...(started.tokens === 'vocabulary' ? (started.environment?.vocabulary ?? []) : []),
    ...ofKind(log, 'texts').flatMap((event) => event.texts),
  ];
  return ofKind(log, 'leaves').map(({ prompt, leaves }) => {
    const nodes = new Map(
      ofKind(log, 'node').filter((event) => event.prompt === prompt).map(({ node }) => [node.id as number, node]),
    ); // prettier-ignore
    const credit = ofKind(log, 'credit')[0]?.trees.find((tree) => tree.prompt === prompt);
    const rewards = ofKind(log, 'rewards')[0].trees.find((tree) => tree.prompt === prompt)!;
    const seen = new Map<number, number>();
    const depthOf = (leaf: number): number => {
      let depth = 0;
      for (let at: number | null = leaf; at !== null && at !== 0; at = nodes.get(at)!.parent) depth += 1;
      return depth;
    };
    // An import has its rows by depth; a run may have them in another order.
    const rows = leaves
      .toSorted((one, other) => depthOf(one) - depthOf(other))
      .map((leaf) => {
        const path = [];
        for (let at: number | null = leaf; at !== null && at !== 0; at = nodes.get(at)!.parent) path.unshift(nodes.get(at)!); // prettier-ignore
        for (const { id } of path) if (!seen.has(id)) seen.set(id, seen.size);
        return {
          words: path.map(({ tokens }) => tokens.map((id) => texts[id].trim()).join(' ')),
          nodes: path.map(({ id }) => seen.get(id)!),
          advantages: path.map(({ id }) => credit?.advantages[id] ?? null),
          values: path.map(({ id }) => credit?.values?.[id] ?? null),
          reward: rewards.byNode[leaf],
          ending: nodes.get(leaf)!.ending,
          logProb: path.map(({ logProb }) => logProb),
          entropy: path.map(({ entropy }) => entropy),
          surprisal: path.map(({ turnSurprisal }) => turnSurprisal),
        };
      });
    return { rows };
  });
}

const textOf = (log: readonly RunEvent[]): string => [...tracesOfLog(log)].join('');

async function again(text: string): Promise<readonly RunEvent[]> {
  const { rollouts } = await importText(text);
  return [...toRecord(rollouts, { file: 'traces.jsonl', format: 'verifiers-v1', unit: 'tokens' })];
}

describe('read again', () => {
  test('AT²PO: the same trees, rewards, values, advantages, log-probabilities and entropies', async () => {
    const log = await logOf('at2po');
    const shapes = shapesOf(await again(textOf(log)));
    expect(shapes.length).toBe(2);
    const close = (number: unknown) => (typeof number === 'number' ? (expect.closeTo(number, 12) as unknown) : number); // prettier-ignore
    const wanted = shapesOf(log).map(({ rows }) => ({ rows: rows.map((row) => ({ ...row, surprisal: row.surprisal.map(close) })) })); // prettier-ignore
    expect(shapes).toEqual(wanted);
  });

  test.each(['grpo', 'tree_grpo', 'treepo', 'mcts_dpo', 'dapo'] as const)(
    '%s: the same trees, rewards and endings, though rows may differ in what a turn they share is worth',
    async (name) => {
      const log = await logOf(name);
      const plain = ({ rows }: Shape) => rows.map(({ words, nodes, reward, ending }) => ({ words, nodes, reward, ending })); // prettier-ignore
      expect(shapesOf(await again(textOf(log))).map(plain)).toEqual(shapesOf(log).map(plain));
    },
  );

  test('GRPO: every token of a row has the advantage that the loss saw there', async () => {
    const log = await logOf('grpo');
    const { rollouts, summary } = await importText(textOf(log));
    expect([summary.tier, summary.groups, summary.merges, summary.lints]).toEqual(['C', 2, 0, []]);
    const rows = ofKind(log, 'loss').flatMap((event) => event.rows);
    expect(rollouts).toHaveLength(rows.length);
    const told = rollouts.map(({ rows: [{ spans }] }) => spans.flatMap(({ tokens }) => (tokens?.advantages ?? []).filter((_, at) => tokens?.mask?.[at]))); // prettier-ignore
    const single = told.map((advantages) => advantages.map((each) => Math.fround(each!))); // told in float64 where credit knows it
    for (const row of rows) expect(single).toContainEqual(row.advantage);
    const trainer = rollouts.map(({ rows: [{ spans }] }) => spans.flatMap(({ tokens }) => (tokens?.trainerLogProbs ?? []).filter((_, at) => tokens?.mask?.[at]))); // prettier-ignore
    for (const row of rows) expect(trainer).toContainEqual(row.oldLogProb);
  });
});

// The schema of verifiers v1, from its own classes (a60a606): keys without a default are wanted, the rest may be missing.

const text = v.string();
const number = v.pipe(v.number(), v.finite());
const whole = v.pipe(v.number(), v.integer());
const numbers = v.array(number);
const message = v.variant('role', [
  v.object({ role: v.literal('system'), content: text }),
  v.object({ role: v.literal('user'), content: text }),
  v.object({ role: v.literal('assistant'), content: v.optional(text) }),
  v.object({ role: v.literal('tool'), tool_call_id: text, content: text }),
]);
const node = v.looseObject({
  ...{ parent: v.optional(whole), message, sampled: v.boolean(), timestamp: number },
  ...{ token_ids: v.array(whole), mask: v.array(v.boolean()), is_content: v.array(v.boolean()) },
  ...{ logprobs: numbers, advantages: v.optional(numbers), reference_logprobs: v.optional(numbers) },
  ...{ loss_weights: v.optional(v.record(text, numbers)) },
  ...{ trainer_logprobs: v.optional(numbers), entropies: v.optional(numbers) }, // verifiers #2481
});
const task = v.looseObject({ type: text, data: v.looseObject({ idx: whole, prompt: text }), key: text });
const EPISODE = v.looseObject({
  ...{ id: text, env: v.strictObject({ id: text, name: text }), task, group: v.strictObject({ id: text }) },
  run: v.strictObject({ type: v.literal('train'), id: text, name: text, work: v.strictObject({ type: v.literal('train'), step: whole }) }), // prettier-ignore
  ...{ ok: v.boolean(), errors: v.array(v.unknown()) },
  traces: v.array(
    v.strictObject({
      ...{ version: v.literal(1), id: text, verifiers: v.strictObject({ version: text }), task },
      agent: v.strictObject({ config: v.strictObject({ model: text }), name: text, trainable: v.boolean() }),
      ...{ tools: v.array(v.unknown()), nodes: v.array(node), calls: v.array(v.unknown()) },
      rewards: v.record(text, v.nullable(v.strictObject({ score: number, weight: number }))),
      ...{ metrics: v.record(text, number), info: v.record(text, v.unknown()), extra_usage: v.array(v.unknown()) }, // prettier-ignore
      ...{ is_completed: v.boolean(), ok: v.boolean(), stop_condition: text, errors: v.array(v.unknown()) },
    }),
  ),
});

test('a line is an episode of verifiers v1: keys, types, parents before children, lists as long as they say', async () => {
  const lines = textOf(await logOf('at2po'))
    .trimEnd()
    .split('\n');
  for (const line of lines) {
    const { traces } = v.parse(EPISODE, JSON.parse(line));
    for (const { nodes } of traces)
      nodes.forEach((each, at) => {
        const sampled = each.mask.filter(Boolean).length;
        expect(each.parent ?? -1).toBe(at - 1);
        expect([each.mask.length, each.is_content.length]).toEqual([each.token_ids.length, each.token_ids.length]);
        expect(each.sampled).toBe(sampled > 0);
        for (const list of [each.logprobs, each.advantages ?? [], each.trainer_logprobs ?? [], each.entropies ?? []])
          expect([0, sampled]).toContain(list.length);
        if (each.sampled) expect(each.logprobs).toHaveLength(sampled);
      }); // prettier-ignore
  }
});
