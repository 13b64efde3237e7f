/** One run for each alarm that dies of it, and runs that come as close as they may without it. Made by hand. */
import type { AlarmKind } from '../../src/store/alarms/alarm_signs.ts';
import type { Selection } from '../../src/store/place/selection.ts';
import type { RunEvent, UpdateMetrics } from '../../src/protocol/protocol.ts';
import { nodeId, tokenId } from '../../src/units.ts';
import { METRICS, NODES, START, updateEvents } from './sample_log.ts';

export interface DyingRun {
  readonly events: readonly RunEvent[];
  readonly since: number; // update at which it begins
  readonly numbers: string; // as a person reads them
  readonly example: Partial<Selection>;
  /** In words, with a run each. */
  readonly almost: Readonly<Record<string, readonly RunEvent[]>>;
}

/** What is done to the events of an update. */
type Change = (event: RunEvent) => RunEvent;

interface Stretch {
  readonly updates: number;
  readonly metrics?: Partial<UpdateMetrics>;
  readonly change?: Change;
}

const HEALTHY: UpdateMetrics = { ...METRICS, deadTrees: 0.1, exactMatch: 0.4 };
const healthy: Stretch = { updates: 10 };

/** A run's log: stretches of like updates, one after the other. */
function logOf(...stretches: readonly Stretch[]): readonly RunEvent[] {
  const each = stretches.flatMap((stretch) => Array.from({ length: stretch.updates }, () => stretch));
  const events = each.flatMap(({ metrics, change = (event) => event }, index) =>
    updateEvents(index + 1, { ...HEALTHY, ...metrics }).map(change),
  );
  return [START, ...events];
}

const five = (metrics: Partial<UpdateMetrics>): Stretch => ({ updates: 5, metrics });
const deep: Stretch = { updates: 10, metrics: { depth: 3.5 } };

/** Leaf 2 says `plan` over and over: one of three leaves, in both trees. */
const looping: Change = (event) => {
  if (event.kind !== 'node' || event.node.id !== 2) return event;
  const tokens = Array.from({ length: 6 }, () => tokenId(14));
  return { ...event, node: { ...NODES[1], tokens, mask: tokens.map(() => 1) } };
};

/** The row of leaf 3 stands out: its ratio is far off, and it pushes three times as hard. */
const outlier: Change = (event) =>
  event.kind !== 'loss'
    ? event
    : {
        ...event,
        rows: event.rows.map((row) =>
          row.leaf === 3 ? { ...row, turnLogRatio: [-0.5], dlogProb: row.dlogProb.map((d) => 3 * d) } : row,
        ),
      };

const skipped: Change = (event) => (event.kind === 'step' ? { ...event, skipped: true } : event);

const inLoss = (update: number, leaf: number): Partial<Selection> => ({
  ...{ view: 'loss', update, prompt: 0, leaf: nodeId(leaf) },
});
const inTree = (update: number, place: Partial<Selection>): Partial<Selection> => ({
  ...{ view: 'tree', update, ...place },
});
const leaf2 = { prompt: 0, leaf: nodeId(2), node: nodeId(2) };

export const DYING_RUNS: Readonly<Record<AlarmKind, DyingRun>> = {
  'not-finite': {
    events: logOf(healthy, { updates: 1, metrics: { skippedSteps: 2, loss: NaN }, change: skipped }),
    since: 11,
    numbers: '1 of the metrics not finite, 2 of the steps skipped.',
    example: inLoss(11, 2),
    almost: { 'a huge loss': logOf(healthy, { updates: 1, metrics: { loss: 1e30 } }) },
  },
  'gradient-spike': {
    events: logOf(healthy, { updates: 1, metrics: { gradientNorm: 4.6 }, change: outlier }),
    since: 11,
    numbers: '4.60 gradient norm, 0.75 usual before.',
    example: inLoss(11, 3),
    almost: {
      'six times the norm before, and no more': logOf(healthy, {
        updates: 1,
        metrics: { gradientNorm: 4.5 },
      }),
      'a huge norm after four updates only': logOf(
        { updates: 4 },
        { updates: 1, metrics: { gradientNorm: 9 } },
      ),
    },
  },
  'lazy-collapse': {
    events: logOf(deep, five({ depth: 2.24 })),
    since: 15,
    numbers: '2.24 turns to a leaf, 3.50 turns at the start, 40 % right, 40 % right at the start.',
    example: inTree(15, { ...leaf2, colour: 'reward' }),
    almost: {
      'half of the turns beyond the first are left': logOf(deep, five({ depth: 2.25 })),
      'paths are short and answers get better': logOf(deep, five({ depth: 2.24, exactMatch: 0.46 })),
      'four short updates of five': logOf(deep, { updates: 4, metrics: { depth: 2.24 } }),
    },
  },
  'dead-trees': {
    events: logOf(healthy, five({ deadTrees: 0.62 })),
    since: 15,
    numbers: '62 % of trees are dead, 0 % all right, 40 % of answers are right.',
    example: inTree(15, { prompt: 1, colour: 'reward' }),
    almost: {
      '59 % of trees': logOf(healthy, five({ deadTrees: 0.59 })),
      'most trees, on a task that is solved': logOf(healthy, five({ deadTrees: 0.62, exactMatch: 0.91 })),
    },
  },
  'entropy-collapse': {
    events: logOf(healthy, five({ entropy: 0.055 })),
    since: 15,
    numbers: '0.055 nats per token, 0.370 nats at the start.',
    example: inTree(15, { ...leaf2, colour: 'entropy' }),
    almost: {
      'a little more than 15 % is left': logOf(healthy, five({ entropy: 0.056 })),
      'none is left, on a task that is solved': logOf(healthy, five({ entropy: 0.01, exactMatch: 0.91 })),
    },
  },
  'repeated-text': {
    events: logOf(healthy, { updates: 2, change: looping }),
    since: 12,
    numbers: '13 % of leaves repeat themselves.',
    example: inTree(12, leaf2),
    almost: {
      'a third of the leaves, in one update of five': logOf(healthy, { updates: 1, change: looping }),
    },
  },
  clipped: {
    events: logOf(healthy, { ...five({ clipFraction: 0.61 }), change: outlier }),
    since: 15,
    numbers: '61 % of tokens are clipped, 10 % in the last mini-batch.',
    example: inLoss(15, 3),
    almost: { '59 % of tokens': logOf(healthy, five({ clipFraction: 0.59 })) },
  },
};
