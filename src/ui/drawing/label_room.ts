/**
 * What is written beside a node in the room that it has: all of it, or a shorter form as a whole. A text that ran on
 * under the next node would lose its last digits, and a number without them is another number.
 */
import { ROOT, type NodeId, type TurnNode } from '../../units.ts';
import type { PlacedNode, TreeLayout } from './tree_layout.ts';
import { badgeOf, HAND_REACH, handWord, MARGIN, notesOf, ORIGIN, RADIUS, type DrawnTree, type NodeText, type Nodes } from './drawn_tree.ts'; // prettier-ignore
import { nodeName } from './encodings.ts';

/** Width of a text, px of the drawing. */
export type Measure = (text: string, role: 'name' | 'label' | 'small') => number;

/** Where a label begins, px right of the node's centre. */
export const LABEL_START = RADIUS + 4;
const RING = RADIUS + 4; // px from a node's centre that its ring takes
const GAP = 2; // px between a label and what follows
const DOTS = '…';

/** px that a node's own marks take to the left of its centre. */
const reachOf = (node: TurnNode, measure: Measure): number =>
  Math.max(
    RING,
    handWord(node) === '' ? 0 : HAND_REACH * RADIUS,
    badgeOf(node) === '' ? 0 : RADIUS + 3 + measure(badgeOf(node), 'small'),
  );

/** px from where a label begins to the next node of its row, or to the end of the drawing. */
export function labelRoom(layout: TreeLayout, place: PlacedNode, nodes: Nodes, measure: Measure): number {
  const next = nodes[place.id]?.children.find((child) => layout.byId.has(child));
  const follower = next === undefined ? undefined : nodes[next];
  const isInRow = next !== undefined && layout.byId.get(next)?.row === place.row;
  if (follower && isInRow) return layout.columnWidth - LABEL_START - reachOf(follower, measure) - GAP;
  return layout.width + 4 * MARGIN - ORIGIN.x - place.x - LABEL_START - GAP;
}

/** The first form that has room; dots where none has. @param forms the whole first, then what says less */
const fitting = (forms: readonly string[], room: number, width: (text: string) => number): string =>
  forms.find((form) => width(form) <= room) ?? DOTS;

/**
 * @param label '' for none; it keeps all its digits, and the name goes first
 * @param notes forms of the note below, the whole first; none where there is no note
 */
export function nodeText(
  id: NodeId,
  label: string,
  notes: readonly string[],
  room: number,
  measure: Measure,
): NodeText {
  const name = nodeName(id);
  const note = notes.length === 0 ? '' : fitting(notes, room, (text) => measure(text, 'small'));
  const whole = measure(name, 'name') + (label === '' ? 0 : measure(` ${label}`, 'label'));
  if (whole <= room) return { name, label, note, isShort: note !== (notes[0] ?? '') };
  return { name: '', label: fitting(label === '' ? [] : [label], room, (text) => measure(text, 'label')), note, isShort: true }; // prettier-ignore
}

/**
 * The least width of a column in which a usual label has room before the next node.
 * @param nodeCount that a tree may have: how many digits a name takes
 * @param longest label that is usual here, such as "−0.00"
 */
export function leastColumn(nodeCount: number, longest: string, measure: Measure): number {
  const name = nodeName(Number('9'.repeat(String(nodeCount).length)) as NodeId); // of the longest name, no node of a tree
  const longestName = Math.max(measure(name, 'name'), measure(nodeName(ROOT), 'name'));
  const text = longestName + measure(` ${longest}`, 'label');
  return Math.ceil(LABEL_START + text + GAP + RING);
}

/** What has room beside each node, found once per drawing. */
export function rememberTexts(
  layout: TreeLayout,
  nodes: Nodes,
  draw: DrawnTree['draw'],
  measure: Measure,
): DrawnTree['write'] {
  const texts = new Map<TurnNode, NodeText>();
  return (node) => {
    const known = texts.get(node);
    const place = layout.byId.get(node.id);
    if (known || !place) return known ?? { name: '', label: '', note: '', isShort: false };
    const { label, note, action } = draw(node);
    const room = labelRoom(layout, place, nodes, measure);
    const text = nodeText(node.id, label, notesOf(node, place.hiddenCount, note, action), room, measure);
    texts.set(node, text);
    return text;
  };
}
