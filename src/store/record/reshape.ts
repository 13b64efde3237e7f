/**
 * Trees of an import changed by hand: rows taken apart that were put together because they begin alike, and put together
 * again. The events of the update are written anew, so that every view, every rule and every file has the tree as it is now.
 */
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { TreeEdit } from '../../keep/entry.ts';
import type { EventOf, RunEvent } from '../../protocol/protocol.ts';
import {
  LabError,
  meanSurprisal,
  nodeId,
  ROOT,
  type NodeId,
  type RolloutFacts,
  type TurnFacts,
  type TurnNode,
} from '../../units.ts';
import type { SelectionStore } from '../place/selection.ts';
import { pathTo, turnStates } from './reading.ts';
import type { RunStore, Screen } from './run.ts';
import type { TreeState } from './run_state.ts';

/** Rows from the first turn to the leaf, by old node id; a copy of node n is n + the count of nodes. */
type Paths = readonly (readonly number[])[];

const cannot = (got: string, wanted: string): LabError =>
  new LabError('ReshapeError', {
    ...{ what: 'The tree cannot be changed so', where: 'tree', got, wanted },
    next: 'Choose another turn.',
  });

const ofKind = <Kind extends RunEvent['kind']>(
  events: readonly RunEvent[],
  kind: Kind,
  prompt: number,
): readonly EventOf<Kind>[] =>
  events.filter((event) => event.kind === kind && (event as { prompt?: number }).prompt === prompt) as unknown as readonly EventOf<Kind>[]; // prettier-ignore

interface Grown {
  readonly nodes: readonly TurnNode[]; // by id; the root is left out: its place is empty
  readonly leaves: readonly NodeId[]; // ascending: rows in the order of the file
  readonly paths: Paths;
}

function grownOf(events: readonly RunEvent[], prompt: number): Grown {
  const nodes: TurnNode[] = [];
  for (const { node } of ofKind(events, 'node', prompt)) nodes[node.id] = node;
  const [{ leaves }] = ofKind(events, 'leaves', prompt);
  const rows = leaves.toSorted((one, other) => one - other);
  return { nodes, leaves: rows, paths: rows.map((leaf) => pathTo({ nodes }, leaf).map(({ id }) => id)) };
}

/** Node numbers in the order of the rows. */
function renumbered(paths: Paths): { readonly keys: readonly number[]; readonly paths: Paths } {
  const ids = new Map<number, number>();
  const keys: number[] = [-1];
  const idOf = (key: number): number => {
    const known = ids.get(key) ?? keys.length;
    if (known === keys.length) {
      ids.set(key, known);
      keys.push(key);
    }
    return known;
  };
  return { paths: paths.map((path) => path.map(idOf)), keys };
}

const rolloutOf = (facts: readonly RolloutFacts[], leaf: NodeId): number =>
  facts.findIndex(({ turns }) => turns.some(({ node }) => node === leaf));

interface Reshaped {
  readonly events: readonly RunEvent[];
  /** New leaf of an old one. */
  readonly leafOf: (leaf: NodeId) => NodeId;
}

/** The events of an update with one tree on other paths. */
function along(events: readonly RunEvent[], prompt: number, grown: Grown, changed: Paths): Reshaped {
  const { nodes, leaves } = grown;
  const count = nodes.length;
  const { keys, paths } = renumbered(changed);
  const old = keys.map((key) => (key < 0 ? 0 : key % count));
  const [told] = events.filter((event) => event.kind === 'rollout-facts');
  const facts = told?.rollouts.filter((each) => each.prompt === prompt) ?? [];
  const owners = leaves.map((leaf, row) => (facts.length === 0 ? row : rolloutOf(facts, leaf)));
  const through = keys.map(() => new Set<number>());
  paths.forEach((path, row) => path.forEach((id) => through[id].add(owners[row])));
  const parents = keys.map(() => 0);
  for (const path of paths) path.forEach((id, at) => (parents[id] = path[at - 1] ?? 0));
  const made = keys.slice(1).map((_, at): TurnNode => {
    const id = at + 1;
    const node = nodes[old[id]];
    const origin = node.origin.kind === 'imported' ? { ...node.origin, inferred: through[id].size > 1 } : node.origin; // prettier-ignore
    const first = facts[[...through[id]][0]]?.turns.find((turn) => turn.node === node.id);
    const turnSurprisal = first?.sampler ? meanSurprisal(first.sampler) : node.turnSurprisal;
    return { ...node, id: nodeId(id), parent: nodeId(parents[id]), origin, turnSurprisal };
  });
  const newLeaves = paths.map((path) => nodeId(path.at(-1) ?? 0));
  const ordered = paths
    .map((path, row) => ({ turns: path.length, leaf: newLeaves[row] }))
    .toSorted((one, other) => one.turns - other.turns || one.leaf - other.leaf)
    .map(({ leaf }) => leaf);
  const leafOf = (leaf: NodeId): NodeId => newLeaves[leaves.indexOf(leaf)] ?? ROOT;
  const stateOf = turnStates();
  /** A turn that several rows of a rollout share is told once, in the first of them. */
  const mapped = facts.map((each, owner): RolloutFacts => {
    const turns = new Map<number, TurnFacts>();
    grown.paths.forEach((path, row) => {
      if (owners[row] !== owner) return;
      path.forEach((before, at) => {
        const told = each.turns.find(({ node }) => node === nodeId(before));
        const [id, after] = [paths[row][at], paths[row][at - 1] ?? 0];
        if (told && !turns.has(id)) turns.set(id, { ...told, node: nodeId(id), after: nodeId(after), state: stateOf(after, nodes[before]), index: at }); // prettier-ignore
      });
    });
    const calls = [...turns.values()].reduce((sum, turn) => sum + turn.calls, 0);
    return { ...each, leaf: leafOf(each.leaf), calls, turns: [...turns.values()] };
  });
  /** What the trainer used, where all rollouts of a turn say the same. */
  const advantageOf = (id: number, before: number | null): number | null => {
    if (facts.length === 0 || id === 0) return before;
    const said = new Set(mapped.flatMap(({ turns }) => turns.flatMap((turn) => (turn.node === nodeId(id) ? [turn.advantage] : [])))); // prettier-ignore
    return said.size === 1 ? ([...said][0] ?? null) : null;
  };
  const table = <T>(values: readonly T[]): readonly T[] => old.map((id) => values[id]);
  let isPlaced = false;
  const ofTree = <Entry extends { readonly prompt: number }>(
    entries: readonly Entry[],
    change: (entry: Entry) => Entry,
  ): Entry[] => entries.map((entry) => (entry.prompt === prompt ? change(entry) : entry));
  const rewrite = (event: RunEvent): readonly RunEvent[] => {
    if (event.kind === 'node' && event.prompt === prompt) {
      if (isPlaced) return []; // all of them stand where the first was
      isPlaced = true;
      return made.map((node) => ({ ...event, node }));
    }
    if (event.kind === 'leaves' && event.prompt === prompt) return [{ ...event, leaves: ordered }];
    if (event.kind === 'rollout-facts')
      return [{ ...event, rollouts: event.rollouts.map((each) => mapped[facts.indexOf(each)] ?? each) }];
    if (event.kind === 'rewards')
      return [{ ...event, trees: ofTree(event.trees, (tree) => ({ ...tree, byNode: table(tree.byNode) })) }];
    if (event.kind === 'credit') {
      const advantages = (of: readonly (number | null)[]) => table(of).map((value, id) => advantageOf(id, value)); // prettier-ignore
      return [{ ...event, trees: ofTree(event.trees, (tree) => ({ ...tree, advantages: advantages(tree.advantages) })) }]; // prettier-ignore
    }
    return [event];
  };
  return { events: events.flatMap(rewrite), leafOf };
}

/**
 * Takes one row out of a turn that it shares: it has turns of its own from there on.
 * @throws ReshapeError where the turn is not shared, or not of the row
 */
export function splitRow(events: readonly RunEvent[], prompt: number, node: NodeId, leaf: NodeId): Reshaped {
  const grown = grownOf(events, prompt);
  const row = grown.leaves.indexOf(leaf);
  const at = grown.paths[row]?.indexOf(node) ?? -1;
  const sharing = grown.paths.filter((path) => path.includes(node)).length;
  if (at < 0 || sharing < 2)
    throw cannot(`turn n${node}, row n${leaf}`, 'a turn that the row shares with another');
  const count = grown.nodes.length;
  return along(events, prompt, grown, grown.paths.map((path, other) => (other === row ? path.map((id, place) => (place >= at ? id + count : id)) : path))); // prettier-ignore
}

const isSame = (one: TurnNode, other: TurnNode): boolean =>
  one.parent === other.parent && one.tokens.length === other.tokens.length && one.tokens.every((token, at) => token === other.tokens[at] && one.mask[at] === other.mask[at]); // prettier-ignore

/** The turn beside one that reads as it does and is gone on from, as it is; null: none. */
export function equalTurn({ nodes, leaves }: TreeState, node: TurnNode): TurnNode | null {
  if (leaves.includes(node.id) || node.parent === null) return null;
  const above = nodes[node.parent];
  const beside = above?.children.flatMap((id) => nodes[id] ?? []) ?? [];
  return beside.find((other) => other.id !== node.id && !leaves.includes(other.id) && isSame(node, other)) ?? null; // prettier-ignore
}

/**
 * Puts two turns together that stand after the same turn and read alike.
 * @throws ReshapeError where they do not, or where one ends its row
 */
export function mergeTurns(
  events: readonly RunEvent[],
  prompt: number,
  one: NodeId,
  other: NodeId,
): Reshaped {
  const grown = grownOf(events, prompt);
  const [a, b] = [grown.nodes[one], grown.nodes[other]];
  if (!a || !b || one === other || !isSame(a, b)) throw cannot(`turns n${one} and n${other}`, 'two turns after the same turn that read alike'); // prettier-ignore
  if (grown.leaves.includes(one) || grown.leaves.includes(other)) throw cannot('a turn that ends its row', 'turns that are gone on from'); // prettier-ignore
  return along(events, prompt, grown, grown.paths.map((path) => path.map((id) => (id === other ? one : id)))); // prettier-ignore
}

// Changes of the record on screen, one after the other, and the way back.

interface Change {
  readonly record: RunStore;
  readonly update: number;
  readonly edit: TreeEdit;
  readonly events: readonly RunEvent[]; // of the update before it, when that was last at hand
  readonly place: { readonly prompt: number; readonly node: NodeId | null; readonly leaf: NodeId | null };
}

export interface Reshaping extends StoreApi<{ readonly changes: readonly Change[] }> {
  /** @param leaf whose row gets turns of its own from `node` on */
  readonly split: (node: NodeId, leaf: NodeId) => Promise<void>;
  readonly merge: (one: NodeId, other: NodeId) => Promise<void>;
  /** Makes the changes of before a reload again, of a record that is not on screen yet; they can be taken back. */
  readonly again: (record: RunStore, edits: readonly TreeEdit[]) => Promise<void>;
  /** The events of an update that is read back from its file, with the changes that stand in it; one that cannot be made is dropped, and said. */
  readonly standing: (record: RunStore, update: number, events: readonly RunEvent[]) => readonly RunEvent[];
  /** Takes the last change back. */
  readonly undo: () => void;
}

export interface ReshapingParts {
  readonly run: Screen;
  readonly selection: SelectionStore;
  /** Hears all changes of a record that stand, after each and after each that is taken back. */
  readonly remember?: (record: RunStore, edits: readonly TreeEdit[]) => void;
}

/** @throws ReshapeError where the tree cannot be changed so */
const reshape = (events: readonly RunEvent[], edit: TreeEdit): Reshaped =>
  edit.kind === 'split'
    ? splitRow(events, edit.prompt, edit.node, edit.leaf)
    : mergeTurns(events, edit.prompt, edit.node, edit.other);

export function createReshaping({ run, selection, remember }: ReshapingParts): Reshaping {
  const store = createStore<{ readonly changes: readonly Change[] }>(() => ({ changes: [] }));
  const tell = (record: RunStore): void =>
    remember?.(
      record,
      store.getState().changes.flatMap((each) => (each.record === record ? [each.edit] : [])),
    );
  const add = (change: Change): void => store.setState(({ changes }) => ({ changes: [...changes, change] }));
  /** Whether some of its groups stand in the file alone: places of trees are those of the whole update. */
  const isPart = (record: RunStore, update: number): boolean =>
    record.getState().updates[update - 1]?.elsewhere !== undefined;
  const make = async (record: RunStore, edit: TreeEdit, place: Change['place']): Promise<Reshaped | null> => {
    const { update } = edit;
    const events = await record.eventsOf(update);
    if (!events) return null;
    const reshaped = reshape(events, edit);
    record.rewrite(update, reshaped.events);
    add({ record, update, edit, events, place });
    return reshaped;
  };
  type Kind = Pick<TreeEdit, 'kind' | 'node'> & { readonly leaf?: NodeId; readonly other?: NodeId };
  const change = async (kind: Kind): Promise<void> => {
    const record = run.shown();
    const { prompt, node, leaf } = selection.getState();
    const update = selection.getState().update ?? run.getState().updates.length;
    try {
      if (isPart(record, update)) throw cannot('a step of which a part stands in its file alone', 'a whole step: read the rest of it, or open the file again'); // prettier-ignore
      const reshaped = await make(record, { update, prompt, ...kind } as TreeEdit, { prompt, node, leaf });
      if (!reshaped) return;
      tell(record);
      const { leaves } = run.getState().updates[update - 1].trees[prompt];
      const own = leaf === null ? (leaves[0] ?? null) : reshaped.leafOf(leaf);
      selection.select({ update, leaf: own, node: own, whatIf: [] });
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      run.report(error.report);
    }
  };
  return {
    ...store,
    split: (node, leaf) => change({ kind: 'split', node, leaf }),
    merge: (node, other) => change({ kind: 'merge', node, other }),
    async again(record, edits) {
      try {
        for (const edit of edits) {
          const leaf = edit.kind === 'split' ? edit.leaf : null;
          const place = { prompt: edit.prompt, node: edit.node, leaf };
          if (isPart(record, edit.update))
            add({ record, update: edit.update, edit, events: [], place }); // made when it is read back
          else await make(record, edit, place);
        }
      } catch (error) {
        if (!(error instanceof LabError)) throw error;
        record.report(error.report); // those before it stand
      }
    },
    standing(record, update, events) {
      let now = events;
      const again = (change: Change): readonly Change[] => {
        if (change.record !== record || change.update !== update) return [change];
        try {
          const before = now;
          now = reshape(before, change.edit).events;
          return [{ ...change, events: before }];
        } catch (error) {
          if (!(error instanceof LabError)) throw error;
          record.report(error.report);
          return [];
        }
      };
      store.setState(({ changes }) => ({ changes: changes.flatMap(again) }));
      return now;
    },
    undo() {
      const { changes } = store.getState();
      const last = changes.at(-1);
      if (!last) return;
      if (!isPart(last.record, last.update)) last.record.rewrite(last.update, last.events);
      store.setState({ changes: changes.slice(0, -1) });
      tell(last.record);
      if (run.shown() === last.record) selection.select({ update: last.update, ...last.place, whatIf: [] });
    },
  };
}
