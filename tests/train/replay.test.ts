import { assembleTree } from '../support/assemble_tree.ts';
import { describe, expect, test } from 'vitest';
import { scoredPositions } from '../../src/algo/batch/batch.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { parseLoggedEvent } from '../../src/protocol/log.ts';
import { isLogged, type RunEvent } from '../../src/protocol/protocol.ts';
import { environmentNamed } from '../../src/train/config/config.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { assignAdvantages, backUp } from '../../src/train/run/credit.ts';
import { lossBatches } from '../../src/train/run/batches.ts';
import { emptyMemory, questionName, remember } from '../../src/train/run/memory.ts';
import { chooseGroups, scoreBatch } from '../../src/train/run/reward.ts';
import { NO_SIGNALS, type Prompt, type RolloutTree } from '../../src/units.ts';
import { playedRun, smallConfig } from '../support/scripted_run.ts';

type Name = keyof typeof algorithms;
type Of<K extends RunEvent['kind']> = Extract<RunEvent, { kind: K }>;
const only = <K extends RunEvent['kind']>(events: readonly RunEvent[], kind: K): Of<K>[] =>
  events.filter((event): event is Of<K> => event.kind === kind);

const UPDATES = 3;

/** A run's log as JSON keeps it, every digit: what is replayed below is read from there alone. */
async function savedRun(
  name: Name,
  skill = (update: number) => 0.97 - 0.15 * update,
): Promise<readonly RunEvent[]> {
  const config = withAlgorithm(
    smallConfig({
      ...{
        updates: UPDATES,
        promptsPerUpdate: 4,
        promptsPerMinibatch: 2,
        datasets: ['hotpot', 'unanswerable'],
      },
      evaluation: { every: 1, questions: 4, datasets: ['hotpot', 'unanswerable'] },
    }),
    algorithms[name].config,
  );
  const { events } = await playedRun(config, { skill });
  return events
    .filter(isLogged)
    .map((event, place) => parseLoggedEvent(JSON.parse(JSON.stringify(event)), `event ${place}`));
}

/** Trees of one rollout batch, from the update's events. */
const treesOf = (events: readonly RunEvent[], prompts: readonly Prompt[]): readonly RolloutTree[] =>
  prompts.map((prompt) => {
    const nodes = only(events, 'node').filter((event) => event.prompt === prompt.index);
    const { leaves, pruned } = only(events, 'leaves').find((event) => event.prompt === prompt.index)!;
    const parts = { prompt, nodes: nodes.map(({ node }) => node), leaves, pruned, expansions: [] };
    return assembleTree(parts) as RolloutTree; // grown in our own environment
  });

/** Every phase that asks no policy, on the saved input of an update; each result is compared with what the log says of it. */
function replay(log: readonly RunEvent[], update: number) {
  const config = only(log, 'run-started')[0].config!; // a run of ours
  const { algorithm, promptsPerUpdate } = config;
  const environment = environmentNamed(config.environment);
  const memoryAfter = (last: number) =>
    only(log, 'remembered')
      .filter((event) => event.update <= last)
      .reduce(remember, emptyMemory());
  const events = log.filter((event) => 'update' in event && event.update === update);
  const batches = [...only(events, 'update-started'), ...only(events, 'prompts-added')].map(
    ({ prompts }) => prompts as readonly Prompt[],
  );

  // score, filter
  let groups: ReturnType<typeof scoreBatch> = [];
  const chosen = batches.map((prompts, batch) => {
    const trees = treesOf(events, prompts);
    groups = [...groups, ...scoreBatch(trees, environment, algorithm, memoryAfter(update - 1).boundary)];
    return chooseGroups(groups, batch + 1, algorithm.filter, promptsPerUpdate);
  });
  const [rewards] = only(events, 'rewards');
  expect(groups.map(({ tree, rewards: byNode }) => ({ prompt: tree.prompt.index, byNode }))).toEqual(
    rewards.trees.map(({ prompt, byNode }) => ({ prompt, byNode })),
  );
  expect(chosen.slice(0, -1)).toEqual(batches.slice(1).map(() => null)); // each asked for another
  const { kept } = chosen.at(-1)!;
  const dropped = only(events, 'groups-dropped').flatMap(({ prompts }) => prompts);
  expect(kept).toEqual(groups.filter(({ tree }) => !dropped.includes(tree.prompt.index)));

  // value, advantage
  const measured = kept.map((group) => ({
    ...group,
    signals: rewards.trees[group.tree.prompt.index].signals ?? NO_SIGNALS,
  }));
  const credited = assignAdvantages(backUp(measured, algorithm.credit), algorithm.credit);
  const [credit] = only(events, 'credit');
  expect(
    credited.map(({ tree, normalised, values, advantages }) => ({
      ...{ prompt: tree.prompt.index, normalised: normalised.byNode },
      ...{ values: values.byNode, advantages: advantages.byNode },
    })),
  ).toEqual(
    credit.trees.map(({ prompt, normalised, values, advantages }) => ({ prompt, normalised, values, advantages })), // prettier-ignore
  );

  // batch
  const packed = lossBatches(credited, environment, config, { seed: config.seed, update });
  const rows = packed.map(({ batch }) =>
    batch.rows.map(({ prompt, leaf, scoredStart, scoredEnd }, row) => ({
      ...{ prompt, leaf, tokenIndex: scoredPositions(batch, row) },
      advantage: Array.from(batch.advantage.subarray(scoredStart, scoredEnd)),
      weight: Array.from(batch.weight.subarray(scoredStart, scoredEnd)),
    })),
  );
  const logged = only(events, 'loss').map(
    (event) =>
    event.rows.map(({ prompt, leaf, tokenIndex, advantage, weight }) => ({ prompt, leaf, tokenIndex, advantage, weight })), // prettier-ignore
  );
  expect(rows).toEqual(logged);
  expect(rows.flat().some(({ advantage }) => advantage.some((value) => value !== 0))).toBe(true);
  return { batches, packed, credited, dropped, memory: memoryAfter(update) };
}

const replayed = async (name: Name, skill?: (update: number) => number) => {
  const log = await savedRun(name, skill);
  return Array.from({ length: UPDATES }, (_, before) => replay(log, before + 1));
};

describe('the phases that ask no policy replay from a saved log', () => {
  test.each(['at2po', 'grpo', 'bapo', 'istar'] as const)('of %s', async (name) => {
    const updates = await replayed(name);
    expect(updates.map(({ batches }) => batches.length)).toEqual([1, 1, 1]);
  });

  test('of dapo, batch by batch as its filter asks for more', async () => {
    const updates = await replayed('dapo', () => 0.97); // most groups are right in every row
    expect(Math.max(...updates.map(({ batches }) => batches.length))).toBeGreaterThan(1);
    expect(updates.some(({ dropped }) => dropped.length > 0)).toBe(true);
  });

  test('of a_star_po, whose targets are rewards less the V* that the log remembers', async () => {
    for (const { packed, credited, memory } of await replayed('a_star_po'))
      for (const { batch, extras } of packed)
        batch.rows.forEach(({ prompt, leaf }, row) => {
          const { tree, rewards } = credited.find((group) => group.tree.prompt.index === prompt)!;
          const { value } = memory.optimalValues.get(questionName(tree.prompt))!;
          expect(extras.rowTarget?.[row]).toBe(Math.fround(rewards[leaf]! - value));
        });
  });
});

test('a replay finds what does not follow from the rest: BAPO’s rewards, once the log remembers another phase', async () => {
  const log = await savedRun('bapo');
  const other = log.map(
    (event) =>
    event.kind === 'remembered' ? { ...event, boundary: { phase: 'plateau', best: 1, below: 6 } as const } : event, // prettier-ignore
  );
  const failing = [1, 2, 3].filter((update) => {
    try {
      replay(other, update);
      return false;
    } catch {
      return true;
    }
  });
  expect(failing.length).toBeGreaterThan(0);
});
