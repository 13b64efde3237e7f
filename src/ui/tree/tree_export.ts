/** A tree as an SVG file that stands by itself: colours and type inline, with what it shows written below it. */
import { linkPath, type PlacedNode } from '../drawing/tree_layout.ts';
import { rewardMarkPath, rewardMarkStyle } from '../parts/parts.tsx';
import { rewardClass } from '../parts/scales.ts';
import type { ResolveColour } from '../drawing/encodings.ts';
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
} from '../drawing/drawn_tree.ts';
import { LABEL_START } from '../drawing/label_room.ts';

const FONT = 'system-ui, sans-serif';
const STAMP_LINE = 16; // px
const LEAST_WIDTH = 480; // px, for the stamp

const escape = (text: string): string =>
  text.replace(
    /[&<>"]/g,
    (mark) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[mark] ?? mark,
  );

type Attributes = Readonly<Record<string, string | number | undefined>>;

function element(name: string, attributes: Attributes, inside = ''): string {
  const list = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : ` ${key}="${escape(String(value))}"`,
  );
  return inside === '' ? `<${name}${list.join('')}/>` : `<${name}${list.join('')}>${inside}</${name}>`;
}

const text = (words: string, attributes: Attributes): string =>
  words === '' ? '' : element('text', { 'font-size': 13, ...attributes }, escape(words));

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
    element('title', {}, escape(describe(node, drawing))),
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

/**
 * @param stamp lines below the drawing: what run and tree this is
 * @returns the text of an SVG file, all of the tree whatever the frame shows
 */
export function treeSvg(drawn: DrawnTree, stamp: readonly string[], colour: ResolveColour): string {
  const { layout } = drawn;
  const last = layout.nodes.reduce((most, { row }) => Math.max(most, row), 0); // rows kept free are cut off
  const width = Math.max(LEAST_WIDTH, drawingBox(layout).width);
  const treeHeight = (last + 1) * layout.rowHeight + 2 * MARGIN;
  const height = treeHeight + (stamp.length + 0.5) * STAMP_LINE;
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
  const lines = stamp.map(
    (words, index) =>
    text(words, { x: MARGIN, y: treeHeight + (index + 0.5) * STAMP_LINE, 'font-size': 12, fill: colour('var(--ink-soft)') }), // prettier-ignore
  );
  const tree = element(
    'g',
    { transform: `translate(${ORIGIN.x} ${ORIGIN.y})` },
    [...links, ...stacks, ...nodes].join('\n'),
  );
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'img',
      'font-family': FONT,
    },
    [
      element('title', {}, escape(drawn.title)),
      element('desc', {}, escape(stamp.join('\n'))),
      element('rect', { width, height, fill: colour('var(--surface)') }),
      tree,
      ...lines,
    ].join('\n'),
  );
}

/** Offers bytes to the person as a file. */
export function saveFile(name: string, content: BlobPart, type: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000); // the browser reads it after the click
}

/** "DAPO · instant · seed 4", "turnwise" → "dapo-instant-seed-4.turnwise". */
export const fileName = (title: string, ending: string): string =>
  `${
    title
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9.]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'run'
  }.${ending}`;
