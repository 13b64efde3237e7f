/** What the renderers of a tree share: sizes, what is known of the nodes on screen, and their words. */
import { countWords } from '../parts/format.ts';
import { pathTo } from '../../store/record/reading.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import type { NodeId, TurnNode } from '../../units.ts';
import type { PlacedStack, TreeLayout } from './tree_layout.ts';
import { nodeName, type NodeDrawing } from './encodings.ts';
import type { TreeStop } from './navigation.ts';

/** What stands beside a node. */
export interface NodeText {
  readonly name: string; // '' where only the number has room
  readonly label: string;
  readonly note: string; // below
  readonly isShort: boolean; // something was left out
}

export const RADIUS = 9; // px
export const MARGIN = 16; // px
/** Where the root's column and the first row's top stand in the drawing. */
export const ORIGIN = { x: 2 * MARGIN, y: MARGIN } as const;

export type Nodes = readonly (TurnNode | undefined)[];

/** A laid out tree and what is to be seen of it. */
export interface DrawnTree {
  readonly title: string; // names the tree for a screen reader
  readonly layout: TreeLayout;
  readonly nodes: Nodes; // those grown so far
  readonly rewards: TreeState['rewards'];
  readonly draw: (node: TurnNode) => NodeDrawing;
  readonly write: (node: TurnNode) => NodeText; // what has room beside a node
  readonly stop: TreeStop; // where the keyboard stands
  readonly selected: NodeId | null;
  readonly second: NodeId | null; // pinned for comparing
  readonly path: ReadonlySet<NodeId>; // root to the node looked at
  readonly lit: ReadonlySet<NodeId> | null; // numbers in use: ringed
  readonly found: ReadonlySet<NodeId> | null; // by the search: ringed; null: there is none
  readonly focus: NodeId | null; // the node a step is about: ringed twice
  readonly faded: ReadonlySet<NodeId> | null; // null: none
}

/** How renderers tell what a person does with a node. */
export interface TreeActions {
  readonly pick: (id: NodeId, second: boolean) => void;
  readonly hover: (id: NodeId | null) => void;
  readonly fold: ((id: NodeId) => void) | null; // null: this tree cannot be folded
}

/** px of the whole drawing, margins included. */
export const drawingBox = (layout: TreeLayout) => ({
  width: layout.width + 4 * MARGIN,
  height: layout.height + 2 * MARGIN,
});

/** Width of a link by the leaves that it leads to, px. */
export const linkWidth = (leafCount: number): number => 1 + Math.log2(leafCount);

/** The iteration that added a node; empty for one that was there from the start. */
export const badgeOf = ({ origin }: TurnNode): string =>
  origin.kind === 'expansion' || origin.kind === 'branch' ? `+${origin.iteration + 1}` : '';

/** The word beside a turn that a person made; empty for one of the run. */
export const handWord = ({ origin }: TurnNode): string =>
  origin.kind !== 'by-hand' ? '' : origin.edited ? 'observation edited' : 'by hand';

/** Corners of the diamond round a turn that a person made, px from the centre (0, 0). */
export const diamond = (x: number, y: number, half: number): string =>
  `M${x} ${y - half}L${x + half} ${y}L${x} ${y + half}L${x - half} ${y}Z`;

export const HAND_REACH = 1.75; // half a diamond, by the node's radius

/**
 * What is to be written below a node, the whole first, then what says less; none where there is nothing to say.
 * @param action what the turn does: it goes first where room is short, its first word ("search") before the rest
 */
export function notesOf(node: TurnNode, hiddenCount: number, own = '', action = ''): readonly string[] {
  if (action !== '') {
    const others = notesOf(node, hiddenCount, own);
    if (others.length > 0) return [`${others[0]} · ${action}`, ...others];
    return [action, action.slice(action.indexOf(' ') + 1), ''];
  }
  const hidden = hiddenCount > 0 ? `▸ ${hiddenCount} hidden` : '';
  const all = [own, handWord(node), hidden].filter((word) => word !== '');
  if (all.length === 0) return [];
  return [all.join(' '), own === '' ? handWord(node).replace('observation ', '') : own, hidden].filter((form) => form !== ''); // prettier-ignore
}

export const stackLabel = ({ children }: PlacedStack): string => `… ${children.length} more`;

/** What a screen reader says of a stack. */
export const describeStack = (stack: PlacedStack): string =>
  `${stackLabel(stack)} after ${nodeName(stack.parent)}, ${countWords(stack.nodeCount, 'turn')}; Enter opens ${stack.nodeCount === 1 ? 'it' : 'them'}`;

/** What a screen reader says of a node; it begins with the text that is drawn. @param note that is drawn below it */
export function describe(node: TurnNode, drawing: NodeDrawing, note = ''): string {
  const drawn = `${nodeName(node.id)} ${drawing.label}`.trim();
  if (node.parent === null) return `${drawn}, the question, ${drawing.words}`;
  const { origin } = node;
  const badge = badgeOf(node) && ` ${badgeOf(node)}`;
  const from = origin.kind === 'expansion' ? `, samples ${nodeName(origin.resampled)} again` : '';
  const ending = node.ending === null ? '' : `, ended by ${node.ending}`;
  const made = [drawing.note ?? '', handWord(node)].map((word) => word && ` ${word}`).join('');
  const shown = note === '' ? made : ` ${note}`;
  const rest = [note === '' ? '' : made.trim(), drawing.action ?? '']
    .filter((words) => !note.includes(words))
    .map((words) => `, ${words}`)
    .join('');
  return `${drawn}${badge}${shown}, ${drawing.words}${rest}${ending}${from}`;
}

/** From the root to a node, both included; nothing where no node is meant. */
export const pathOf = (nodes: Nodes, to: NodeId | null): ReadonlySet<NodeId> =>
  new Set(to === null ? [] : pathTo({ nodes }, to).map(({ id }) => id));

/** `draw`, computed once per node. */
export function rememberDrawings(draw: (node: TurnNode) => NodeDrawing): (node: TurnNode) => NodeDrawing {
  const drawings = new Map<TurnNode, NodeDrawing>();
  return (node) => {
    const known = drawings.get(node) ?? draw(node);
    drawings.set(node, known);
    return known;
  };
}
