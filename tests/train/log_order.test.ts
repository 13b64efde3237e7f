import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TREE_BOUNDS } from '../../src/protocol/log_entries.ts';
import { readRecording } from '../../src/files/recording.ts';
import { LogOrder } from '../../src/protocol/log_order.ts';
import { isLogged, type RunEvent } from '../../src/protocol/protocol.ts';
import { algorithms } from '../../src/algo/catalogue/index.ts';
import { withAlgorithm } from '../../src/train/config/presets.ts';
import { LabError } from '../../src/units.ts';
import { countOf } from '../support/count_of.ts';
import { fileConfig } from '../support/mutated_recordings.ts';
import { SAMPLE_LOG } from '../support/sample_log.ts';
import { scriptedRun } from '../support/scripted_run.ts';

const log = (await scriptedRun(fileConfig())).filter(isLogged);

function check(events: readonly RunEvent[]): void {
  const order = new LogOrder();
  events.forEach((event, place) => order.check(event, `event ${place}`));
}

/** Where the log is refused, and what was wanted; null where it is not. */
function refusal(events: readonly RunEvent[]): { readonly where: string; readonly wanted: string } | null {
  try {
    check(events);
    return null;
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return error.report;
  }
}

const placeOf = (matches: (event: RunEvent) => boolean): number => log.findIndex(matches);
type OfKind<Kind extends RunEvent['kind']> = Extract<RunEvent, { readonly kind: Kind }>;

/** The log with the first event of a kind changed. */
function changed<Kind extends RunEvent['kind']>(
  kind: Kind,
  change: (event: OfKind<Kind>) => OfKind<Kind>,
  matches: (event: OfKind<Kind>) => boolean = () => true,
): { readonly events: readonly RunEvent[]; readonly at: number } {
  const at = placeOf((event) => event.kind === kind && matches(event as OfKind<Kind>));
  return { events: log.with(at, change(log[at] as OfKind<Kind>)), at };
}

const isTurn = ({ node }: OfKind<'node'>): boolean => node.id > 2;

test('whole logs pass: a scripted run, a hand-made one, the shipped recording', async () => {
  check(log);
  check(SAMPLE_LOG);
  const bytes = new Uint8Array(readFileSync('public/recorded-instant.ndjson.members'));
  expect(await countOf(readRecording(new Blob([bytes])))).toBe(22_353);
});

test('a log cut off after any event passes: a run may be looked at while it trains', () => {
  const order = new LogOrder();
  log.forEach((event, place) => order.check(event, `event ${place}`)); // each prefix has passed when the next event comes
  expect(refusal(log.slice(0, 40))).toBeNull();
});

test('the next update is the last one + 1, within the recipe, and after the metrics of the last', () => {
  const second = placeOf((event) => event.kind === 'update-started' && event.update === 2);
  for (const update of [1, 3, 100_000_000]) {
    const { events } = changed('update-started', (event) => ({ ...event, update }), (event) => event.update === 2); // prettier-ignore
    expect(refusal(events)).toMatchObject({ where: `event ${second}.update`, wanted: '2, the next update' });
  }
  const unmeasured = log.filter(({ kind }) => kind !== 'metrics');
  expect(refusal(unmeasured)?.wanted).toContain('metrics of update 1');
  const third = log.slice(second).map((event) => ('update' in event && event.update === 2 ? { ...event, update: 3 } : event)); // prettier-ignore
  const beyond = [...log.slice(0, -1), ...third].filter((event) => event.kind !== 'evaluation');
  expect(refusal(beyond)?.wanted).toBe('at most 2, the updates of the run');
});

test('one run a log, and nothing of an update before it or outside its update', () => {
  expect(refusal(log.filter(({ kind }) => kind !== 'run-started'))?.wanted).toBe('run-started before it');
  const started = log.find(({ kind }) => kind === 'run-started')!;
  expect(refusal([...log, started])?.wanted).toBe('one run in a file');
  expect(refusal(changed('credit', (event) => ({ ...event, update: 2 })).events)?.wanted).toContain('1, the update under way'); // prettier-ignore
  const node = log.find(({ kind }) => kind === 'node')!;
  expect(refusal([...log, node])?.wanted).toBe('update-started before it');
});

test('phases follow each other, and each event is in its own', () => {
  const reward = placeOf((event) => event.kind === 'phase' && event.phase === 'reward');
  const skipped = changed(
    'phase',
    (event) => ({ ...event, phase: 'value' }),
    ({ phase }) => phase === 'reward',
  );
  expect(refusal(skipped.events)?.wanted).toBe('reward');
  const node = placeOf((event) => event.kind === 'node');
  const late = log.toSpliced(node, 1).toSpliced(reward, 0, log[node]);
  expect(refusal(late)?.wanted).toBe('the phase rollout under way');
});

test('prompts stand in order and are no more than the recipe has', () => {
  const moved = changed('update-started', (event) => ({ ...event, prompts: event.prompts.toReversed() }));
  expect(refusal(moved.events)).toMatchObject({ where: `event ${moved.at}.prompts.0.index`, wanted: '0' });
  const more = changed('update-started', (event) => ({
    ...event,
    prompts: Array.from({ length: 3 }, (_, index) => ({ ...event.prompts[0], index })),
  }));
  expect(refusal(more.events)?.wanted).toBe('at most 2 prompts, as the run is configured');
});

test('a node has an id of its own near the others, an earlier parent, and the depth that follows', () => {
  const node = (change: object) =>
    changed('node', (event) => ({ ...event, node: { ...event.node, ...change } }), isTurn);
  const wanted = (change: object) => refusal(node(change).events)?.wanted;
  expect(wanted({ id: 1 })).toContain('does not have yet');
  expect(wanted({ id: TREE_BOUNDS.missing + 100 })).toContain('may be missing');
  expect(wanted({ id: 100_000_000 })).toBe(`below ${TREE_BOUNDS.nodes}, the most nodes of a tree`);
  for (const parent of [null, 99, 100_000_000])
    expect(wanted({ parent })).toBe('an earlier node of the tree');
  expect(wanted({ depth: 100_000_000 })).toContain('by its parent');
  expect(wanted({ tokens: [1] })).toMatch(/entries$/);
  expect(wanted({ tokens: [128], mask: [1], logProb: [0], entropy: [0] })).toContain(
    'a token of the vocabulary',
  );
  expect(wanted({ lastGenerationLength: 1000 })).toContain('tokens');
});

test('lists of a tree have a place for each of its nodes, and name nodes that exist', () => {
  const leaves = changed('leaves', (event) => ({ ...event, leaves: [...event.leaves, 99 as never] }));
  expect(refusal(leaves.events)?.wanted).toBe('a node of the tree');
  const twice = changed('leaves', (event) => ({ ...event, leaves: [...event.leaves, event.leaves[0]] }));
  expect(refusal(twice.events)?.wanted).toBe('no node twice');
  const credit = changed('credit', ({ trees, ...event }) => ({ ...event, trees: [{ ...trees[0], values: [1] }] })); // prettier-ignore
  expect(refusal(credit.events)).toMatchObject({ where: `event ${credit.at}.trees.0.values` });
  const rewards = changed('rewards', ({ trees, ...event }) => ({ ...event, trees: [trees[0], trees[0]] }));
  expect(refusal(rewards.events)?.wanted).toBe('a tree that has no rewards yet');
});

test('mini-batches count up from 0, a step after each loss, and rows are as long as their tokens', () => {
  for (const kind of ['loss', 'step'] as const) {
    const { events, at } = changed(kind, (event) => ({ ...event, minibatch: 100_000_000 }));
    expect(refusal(events)?.where).toBe(`event ${at}.minibatch`);
  }
  const hasRows = ({ rows }: OfKind<'loss'>): boolean => rows.length > 0;
  const row = changed('loss', ({ rows, ...event }) => ({ ...event, rows: [{ ...rows[0], turnIndex: rows[0].turnIndex.map(() => 1e8) }] }), hasRows); // prettier-ignore
  expect(refusal(row.events)?.wanted).toContain('a turn of the row');
});

test('columns that a drawing keeps free are bounded', () => {
  const { events } = changed('run-started', (event) => ({ ...event, environment: { ...event.environment!, callLimit: 100_000_000 } })); // prettier-ignore
  expect(refusal(events)?.wanted).toBe(`at most ${TREE_BOUNDS.callLimit}`);
});

test('an evaluation stands after its update, once a data set', () => {
  const early = changed('evaluation', (event) => ({ ...event, update: 5 }));
  expect(refusal(early.events)?.where).toBe(`event ${early.at}.update`);
  const again = log.toSpliced(early.at, 0, log[early.at]);
  expect(refusal(again)?.wanted).toContain('one evaluation of a data set');
});

test('where a filter wants more, rollout and reward repeat; once rewards are told, nothing is rolled out any more', async () => {
  const dapo = withAlgorithm(fileConfig(), algorithms.dapo.config);
  const { rollout, filter } = dapo.algorithm;
  const asking = {
    ...dapo.algorithm,
    rollout: { ...rollout, leavesPerTree: 2 }, // rewards of two rows are often equal
    filter: { ...filter, generationBatches: 3 },
  };
  const events = (await scriptedRun({ ...dapo, seed: 2, algorithm: asking })).filter(isLogged);
  expect(refusal(events)).toBeNull();
  const phases = events.flatMap((event) =>
    event.kind === 'phase' && event.update === 1 ? [event.phase] : [],
  );
  expect(phases.filter((phase) => phase === 'rollout')).toHaveLength(3);
  const told = events.findIndex(({ kind }) => kind === 'rewards');
  const again = events.toSpliced(told + 1, 0, { kind: 'phase', update: 1, phase: 'rollout' });
  expect(refusal(again)?.where).toMatch(new RegExp(`^event ${told + 1}`));
});
