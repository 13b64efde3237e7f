/**
 * Folds engine events into a RunState. Work per batch of events is proportional to the events and to
 * the trees they touch, never to the length of the run: each touched update and tree is copied once.
 */
import type { EngineEvent, EventOf } from '../../protocol/protocol.ts';
import { addNode, withoutNodes } from '../../algo/tree/tree.ts';
import { ROOT, type RecordedPrompt, type TurnNode } from '../../units.ts';
import {
  EMPTY_RUN,
  type MinibatchState,
  type RunState,
  type TreeState,
  type UpdateState,
} from './run_state.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type MutableTree = Mutable<Omit<TreeState, 'nodes' | 'growth'>> & {
  nodes: (TurnNode | undefined)[];
  growth: TreeState['growth'][number][];
};
type MutableUpdate = Mutable<Omit<UpdateState, 'trees' | 'minibatches'>> & {
  trees: TreeState[];
  minibatches: MinibatchState[];
};

/** The root holds only the prompt, so it stands before any event about its nodes. */
const ROOT_NODE: TurnNode = {
  id: ROOT,
  parent: null,
  children: [],
  tree: 0,
  depth: 0,
  origin: { kind: 'root' },
  tokens: [],
  mask: [],
  logProb: [],
  entropy: [],
  turnSurprisal: 0,
  lastGenerationLength: 0,
  callCount: 0,
  ending: null,
  pruned: false,
};

const emptyTree = (prompt: RecordedPrompt): TreeState => ({
  prompt,
  nodes: [ROOT_NODE],
  growth: [],
  expansions: [],
  leaves: [],
  rewards: null,
  dropped: false,
  credit: null,
});

/** One batch of events over one state. Copies are made on first touch and kept for the batch. */
class Draft {
  readonly state: Mutable<RunState>;
  readonly #updates = new Map<number, MutableUpdate>();
  readonly #trees = new Map<TreeState, MutableTree>();
  #updateList: UpdateState[] | null = null;

  constructor(base: RunState) {
    this.state = { ...base };
  }

  get updateList(): UpdateState[] {
    this.#updateList ??= [...this.state.updates];
    this.state.updates = this.#updateList;
    return this.#updateList;
  }

  clearRun(): void {
    this.#updates.clear();
    this.#trees.clear();
    this.#updateList = null;
    const { ready } = this.state;
    Object.assign(this.state, EMPTY_RUN, { ready });
  }

  update(number: number): MutableUpdate {
    const known = this.#updates.get(number);
    if (known) return known;
    const list = this.updateList;
    const base = list[number - 1] ?? {
      update: number,
      phase: null,
      trees: [],
      minibatches: [],
      rollouts: null,
      metrics: null,
      ended: false,
      detail: 'here',
    };
    const copy: MutableUpdate = { ...base, trees: [...base.trees], minibatches: [...base.minibatches] };
    list[number - 1] = copy;
    this.#updates.set(number, copy);
    return copy;
  }

  /** Undefined for a prompt that the update never announced: such an event says nothing we can place. */
  tree(update: number, prompt: number): MutableTree | undefined {
    const owner = this.update(update);
    const base = owner.trees[prompt];
    if (!base) return undefined;
    const known = this.#trees.get(base);
    if (known) return known;
    const copy: MutableTree = { ...base, nodes: [...base.nodes], growth: [...base.growth] };
    owner.trees[prompt] = copy;
    this.#trees.set(copy, copy);
    return copy;
  }
}

function setMinibatch(update: MutableUpdate, minibatch: number, change: Partial<MinibatchState>): void {
  const base = update.minibatches[minibatch] ?? { minibatch, loss: null, rows: [], step: null };
  update.minibatches[minibatch] = { ...base, ...change };
}

function startRun(draft: Draft, event: EventOf<'run-started'>): void {
  const { status } = draft.state;
  draft.clearRun();
  const { kind, ...header } = event;
  void kind;
  draft.state.header = header;
  draft.state.texts = header.tokens === 'vocabulary' ? (header.environment?.vocabulary ?? []) : [];
  draft.state.status = status;
  // What a resumed run did before its checkpoint is not in its log.
  const { resumedAfter = 0 } = event;
  draft.state.update = resumedAfter;
  draft.state.updates = Array.from({ length: resumedAfter }, (_, n) => ({
    ...{ update: n + 1, phase: null, trees: [], minibatches: [], rollouts: null, metrics: null },
    ...{ ended: true, detail: 'lost' as const },
  }));
}

function startUpdate(draft: Draft, event: EventOf<'update-started'>): void {
  const update = draft.update(event.update);
  Object.assign(update, {
    phase: null,
    trees: event.prompts.map(emptyTree),
    minibatches: [],
    rollouts: null,
    metrics: null,
    ended: false,
    detail: 'here',
  });
  draft.state.update = event.update;
}

/** Events about trees: growth, rows, rewards, credit. */
function foldTreeEvent(
  draft: Draft,
  event: EventOf<'node' | 'expansion' | 'leaves' | 'rewards' | 'credit'>,
): void {
  if (event.kind === 'rewards' || event.kind === 'credit') {
    for (const entry of event.trees) {
      const tree = draft.tree(event.update, entry.prompt);
      if (!tree) continue;
      if ('byNode' in entry) Object.assign(tree, { rewards: entry.byNode, signals: entry.signals });
      else tree.credit = entry;
    }
    return;
  }
  const tree = draft.tree(event.update, event.prompt);
  if (!tree) return;
  if (event.kind === 'node') {
    addNode(tree.nodes, event.node);
    if (event.node.parent !== null) tree.growth.push({ kind: 'node', node: event.node.id });
  } else if (event.kind === 'expansion') {
    tree.expansions = [...tree.expansions, event.record];
    tree.growth.push({ kind: 'expansion', iteration: event.record.iteration });
  } else {
    tree.nodes = [...withoutNodes(tree.nodes, new Set(event.pruned))];
    tree.leaves = event.leaves;
    tree.search = event.search;
    tree.growth.push({ kind: 'leaves' });
  }
}

function foldEvent(draft: Draft, event: EngineEvent): void {
  const { state } = draft;
  state.eventCount += 1;
  switch (event.kind) {
    case 'ready':
      state.ready = event;
      return;
    case 'run-started':
      startRun(draft, event);
      return;
    case 'texts':
      state.texts = [...state.texts, ...event.texts];
      return;
    case 'update-started':
      startUpdate(draft, event);
      return;
    case 'prompts-added':
      draft.update(event.update).trees.push(...event.prompts.map(emptyTree));
      return;
    case 'groups-dropped':
      for (const prompt of event.prompts)
        Object.assign(draft.tree(event.update, prompt) ?? {}, { dropped: true });
      return;
    case 'rollout-facts':
      draft.update(event.update).rollouts = event.rollouts;
      return;
    case 'phase':
      draft.update(event.update).phase = event.phase;
      state.phase = event.phase;
      return;
    case 'node':
    case 'expansion':
    case 'leaves':
    case 'rewards':
    case 'credit':
      foldTreeEvent(draft, event);
      return;
    case 'loss':
      setMinibatch(draft.update(event.update), event.minibatch, { loss: event.loss, rows: event.rows });
      return;
    case 'step':
      setMinibatch(draft.update(event.update), event.minibatch, { step: event });
      return;
    case 'metrics':
      Object.assign(draft.update(event.update), { metrics: event.metrics, ended: true });
      return;
    case 'update-ended':
      Object.assign(draft.update(event.update), { ended: true, elsewhere: event.elsewhere });
      return;
    case 'evaluation':
      state.evaluations = [...state.evaluations, event];
      return;
    case 'status':
      state.status = event.status;
      state.phase = event.phase;
      return;
    case 'answers': // of a run that an experiment asked for
    case 'remembered': // no view shows it
      return;
    case 'failed':
      state.failure = event.report;
      state.status = 'failed';
      return;
    default:
      event satisfies never;
  }
}

/** An update without its trees and loss rows: metrics, losses and steps stay for the curves. */
export const condense = (update: UpdateState, detail: 'archived' | 'lost'): UpdateState => ({
  ...update,
  trees: [],
  rollouts: null,
  minibatches: update.minibatches.map((minibatch) => ({ ...minibatch, rows: [], step: null })),
  detail,
});

/** @returns the state after `events`, sharing all that they did not touch with `state` */
export function foldEvents(state: RunState, events: readonly EngineEvent[]): RunState {
  if (events.length === 0) return state;
  const draft = new Draft(state);
  for (const event of events) foldEvent(draft, event);
  return draft.state;
}
