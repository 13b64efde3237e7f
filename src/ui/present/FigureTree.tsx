/**
 * A tree for the last row: whole, as large as its place, at one layout for all its steps. Marks say a sign by shape; numbers stand
 * where there is room for 24 px, those of the step first.
 */
import { useMemo, useRef } from 'react';
import type { TreeState } from '../../store/record/run_state.ts';
import { nodeId, type NodeId, type TurnNode } from '../../units.ts';
import { linkWidth } from '../drawing/drawn_tree.ts';
import { nodeName, type NodeDrawing } from '../drawing/encodings.ts';
import { layOutTree, linkPath, type PlacedNode } from '../drawing/tree_layout.ts';
import { textWidth, useSize } from '../parts/use_size.ts';

interface FigureTreeProps {
  readonly title: string;
  readonly tree: TreeState;
  readonly nodes: readonly (TurnNode | undefined)[]; // those grown so far
  readonly draw: (node: TurnNode) => NodeDrawing;
  readonly about: readonly NodeId[]; // that the step is about, the first most
}

const MOST_RADIUS = 15; // px

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const meets = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * What has room beside each node, those that go before first: of its forms the first that covers no mark and no label. Pure.
 * @param marks boxes of the nodes themselves
 */
export function roomyLabels(
  order: readonly PlacedNode[],
  forms: (node: PlacedNode) => readonly string[],
  boxOf: (node: PlacedNode, label: string) => Box,
  marks: readonly Box[],
  within: Box,
): ReadonlyMap<NodeId, string> {
  const taken: Box[] = [...marks];
  const shown = new Map<NodeId, string>();
  const hasRoom = (box: Box): boolean =>
    box.left >= within.left &&
    box.right <= within.right &&
    box.top >= within.top &&
    box.bottom <= within.bottom &&
    !taken.some((other) => meets(box, other));
  for (const node of order) {
    const label = forms(node).find((form) => hasRoom(boxOf(node, form)));
    if (label === undefined) continue;
    taken.push(boxOf(node, label));
    shown.set(node.id, label);
  }
  return shown;
}

/** ▲ or ▼ inside a node, as a path: text of that size nobody reads. */
function signPath(glyph: string, radius: number): string | null {
  const half = radius * 0.55;
  if (glyph === '▲') return `M0 ${-half}L${half} ${half * 0.8}H${-half}Z`;
  return glyph === '▼' ? `M0 ${half}L${half} ${-half * 0.8}H${-half}Z` : null;
}

export function FigureTree({ title, tree, nodes, draw, about }: FigureTreeProps) {
  const frame = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(frame);
  const fontPx = Math.max(24, Math.round(width * 0.035));
  const font = `600 ${fontPx}px Inter, 'Segoe UI', sans-serif`;
  const whole = useMemo(() => layOutTree(tree.nodes, { columnWidth: 1, rowHeight: 1 }), [tree.nodes]);
  const labelOf = (node: TurnNode): string => `${nodeName(node.id)} ${draw(node).label}`.trim();
  const longest = Math.max(0, ...nodes.flatMap((node) => (node ? [textWidth(labelOf(node), font)] : [])));
  const rowHeight = height / Math.max(1, whole.rows);
  const radius = Math.max(4, Math.min(MOST_RADIUS, rowHeight * 0.42));
  const columnWidth = (width - longest - 3 * radius - 12) / Math.max(1, whole.columns - 1);
  const layout = useMemo(
    () => layOutTree(nodes, { columnWidth: Math.max(1, columnWidth), rowHeight: Math.max(1, rowHeight) }),
    [nodes, columnWidth, rowHeight],
  );
  const left = radius + 4;
  const order = [
    ...about.flatMap((id) => layout.byId.get(id) ?? []),
    ...layout.nodes.filter(({ id }) => !about.includes(id)).toSorted((a, b) => b.leafCount - a.leafCount),
  ];
  const boxOf = ({ x, y }: PlacedNode, label: string): Box => {
    const from = left + x + radius + 6;
    const half = fontPx * 0.56;
    const at = Math.min(Math.max(y, half), height - half);
    return { left: from, right: from + textWidth(label, font), top: at - half, bottom: at + half };
  };
  const markOf = ({ x, y }: PlacedNode): Box => ({
    ...{ left: left + x - radius, right: left + x + radius },
    ...{ top: y - radius, bottom: y + radius },
  });
  /** Whole; the number alone; the name alone. */
  const formsOf = ({ id }: PlacedNode): readonly string[] => {
    const node = nodes[id];
    return node ? [labelOf(node), draw(node).label, nodeName(id)].filter((form) => form !== '') : [];
  };
  const within = { left: 0, right: width, top: -1, bottom: height + 1 };
  const marks = layout.nodes.map(markOf);
  const labelled = roomyLabels(order, formsOf, boxOf, marks, within);
  // A name that had no room beside its number stands above its node: the lecturer says “n2”.
  const aboveOf = ({ x, y }: PlacedNode, name: string): Box => {
    const half = textWidth(name, font) / 2;
    const bottom = y - radius - 6;
    return { left: left + x - half, right: left + x + half, top: bottom - fontPx * 1.12, bottom };
  };
  const labels = layout.nodes.flatMap((place) => {
    const label = labelled.get(place.id);
    return label === undefined ? [] : [boxOf(place, label)];
  });
  const nameless = order.filter(({ id }) => labelled.has(id) && !labelled.get(id)!.startsWith(nodeName(id)));
  const named = roomyLabels(nameless, ({ id }) => [nodeName(id)], aboveOf, [...marks, ...labels], within);
  /** Where which words stand beside and above a node. */
  const textsOf = (place: PlacedNode): readonly (readonly [words: string, box: Box])[] => {
    const [label, name] = [labelled.get(place.id), named.get(place.id)];
    return [
      ...(label === undefined ? [] : [[label, boxOf(place, label)] as const]),
      ...(name === undefined ? [] : [[name, aboveOf(place, name)] as const]),
    ];
  };
  return (
    <div className="figure-tree" ref={frame}>
      {width > 0 && (
        <svg width={width} height={height} role="group" aria-label={title}>
          <g transform={`translate(${left} 0)`}>
            {layout.links.map((link) => (
              <path
                key={link.target.id}
                d={linkPath(link)}
                fill="none"
                stroke="var(--line-strong)"
                strokeWidth={linkWidth(link.target.leafCount) + 0.5}
              />
            ))}
          </g>
          {layout.nodes.map((place) => {
            const node = nodes[place.id];
            if (!node) return null;
            const drawing = draw(node);
            const sign = signPath(drawing.glyph, radius);
            const isAbout = about.includes(nodeId(place.id));
            return (
              <g
                key={place.id}
                tabIndex={0}
                role="img"
                aria-label={`${labelOf(node)}, ${drawing.words}`}
                data-point
              >
                <g transform={`translate(${left + place.x} ${place.y})`}>
                  {isAbout && (
                    <circle
                      r={radius + 4}
                      fill="none"
                      stroke="var(--look)"
                      strokeWidth={about[0] === place.id ? 5 : 3}
                    />
                  )}
                  <circle
                    r={radius}
                    fill={drawing.fill}
                    stroke="var(--ink)"
                    strokeWidth={2}
                    strokeDasharray={drawing.dash}
                  />
                  {sign && <path d={sign} fill="var(--ink)" />}
                </g>
                {textsOf(place).map(([words, box]) => (
                  <text
                    key={words}
                    x={box.left}
                    y={(box.top + box.bottom) / 2}
                    dominantBaseline="central"
                    fontSize={fontPx}
                    fontWeight={600}
                    fill="var(--ink)"
                    stroke="var(--surface)"
                    strokeWidth={6}
                    paintOrder="stroke"
                  >
                    {words}
                  </text>
                ))}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}
