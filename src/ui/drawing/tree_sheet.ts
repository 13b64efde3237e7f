/** A turn tree as a drawing for a file: all of it, whatever the frame on screen shows. */
import { rewardMarkPath, rewardMarkStyle } from '../parts/parts.tsx';
import { rewardClass } from '../parts/scales.ts';
import { element, text, titleOf, type Sheet } from './drawing_file.ts';
import {
  HAND_REACH,
  MARGIN,
  ORIGIN,
  RADIUS,
  badgeOf,
  describe,
  diamond,
  drawingBox,
  handWord,
  linkWidth,
  stackLabel,
  type DrawnTree,
} from './drawn_tree.ts';
import type { ResolveColour } from './encodings.ts';
import { LABEL_START } from './label_room.ts';
import { linkPath, type PlacedNode } from './tree_layout.ts';

function nodeMark(drawn: DrawnTree, { id }: PlacedNode, colour: ResolveColour): string {
  const node = drawn.nodes[id];
  if (!node) return '';
  const outline = { stroke: colour('var(--ink)'), 'stroke-width': 1.5 };
  if (node.parent === null) return element('circle', { r: RADIUS / 2, fill: outline.stroke });
  const drawing = drawn.draw(node);
  const fill = colour(drawing.fill);
  if (node.ending === null)
    return (
      element('circle', {
        r: RADIUS,
        fill,
        ...outline,
        'stroke-dasharray': drawing.dash === 'none' ? undefined : drawing.dash,
      }) + text(drawing.glyph, { y: 3, 'font-size': 9, 'text-anchor': 'middle', fill: outline.stroke })
    );
  const kind = rewardClass(drawn.rewards?.[id]);
  const inner = RADIUS - 3;
  const style = rewardMarkStyle(kind);
  const square = (half: number) => ({ x: -half, y: -half, width: 2 * half, height: 2 * half });
  return (
    element('rect', { ...square(RADIUS), rx: 2, fill, ...outline }) +
    element('rect', { ...square(inner), rx: 1, fill: colour('var(--surface)') }) +
    element('path', {
      d: rewardMarkPath(kind, 0, 0, inner - 2),
      fill: style.fill === 'none' ? 'none' : colour(style.fill),
      stroke: colour(style.stroke),
      'stroke-width': style.strokeWidth,
    })
  );
}

function nodeGroup(drawn: DrawnTree, place: PlacedNode, colour: ResolveColour): string {
  const node = drawn.nodes[place.id];
  if (!node) return '';
  const drawing = drawn.draw(node);
  const { name, label, note } = drawn.write(node);
  const parts = [
    titleOf(describe(node, drawing)),
    nodeMark(drawn, place, colour),
    handWord(node) === ''
      ? ''
      : element('path', { d: diamond(0, 0, HAND_REACH * RADIUS), fill: 'none', stroke: colour('var(--accent)'), 'stroke-width': 1.5 }), // prettier-ignore
    text(`${name} ${label}`.trim(), { x: LABEL_START, y: -5, fill: colour('var(--ink)') }),
    text(badgeOf(node), {
      x: -RADIUS - 3,
      y: 1 - RADIUS,
      'font-size': 11,
      'text-anchor': 'end',
      fill: colour('var(--accent)'),
    }),
    text(note, { x: LABEL_START, y: RADIUS + 3, 'font-size': 11, fill: colour('var(--accent)') }),
  ];
  const opacity = drawn.faded?.has(place.id) ? 0.35 : undefined;
  return element('g', { transform: `translate(${place.x} ${place.y})`, opacity }, parts.join(''));
}

export function treeSheet(drawn: DrawnTree, colour: ResolveColour): Sheet {
  const { layout } = drawn;
  const last = layout.nodes.reduce((most, { row }) => Math.max(most, row), 0); // rows kept free are cut off
  const line = { fill: 'none', stroke: colour('var(--line-strong)') };
  const links = layout.links.map((link) =>
    element('path', { d: linkPath(link, RADIUS), ...line, 'stroke-width': linkWidth(link.target.leafCount) }),
  );
  const stacks = layout.stacks.flatMap((stack) => {
    const source = layout.byId.get(stack.parent);
    if (!source) return [];
    const words = text(stackLabel(stack), {
      x: stack.x + RADIUS + 4,
      y: stack.y + 4,
      fill: colour('var(--ink)'),
    });
    return [element('path', { d: linkPath({ source, target: stack }, RADIUS), ...line }), words];
  });
  const nodes = layout.nodes.map((place) => nodeGroup(drawn, place, colour));
  const place = `translate(${ORIGIN.x} ${ORIGIN.y})`;
  return {
    title: drawn.title,
    width: drawingBox(layout).width,
    height: (last + 1) * layout.rowHeight + 2 * MARGIN,
    inside: element('g', { transform: place }, [...links, ...stacks, ...nodes].join('\n')),
  };
}
