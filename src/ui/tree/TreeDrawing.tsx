/** A turn tree as SVG: an ARIA tree that arrow keys walk, hover previews and a click selects. */
import { useMemo, useRef, type KeyboardEvent } from 'react';
import type { TreeState } from '../../store/run_state.ts';
import { ROOT, type NodeId, type TurnNode } from '../../units.ts';
import { useLab, useRun, useSelection } from '../binding.ts';
import { layOutTree, linkPath, type PlacedNode, type TreeLayout } from '../layout/tree_layout.ts';
import { rewardMarkPath, rewardMarkStyle } from '../marks.tsx';
import { rewardClass } from '../scales.ts';
import { useSize, type Size } from '../use_size.ts';
import { nodeName, type NodeDrawing } from './encodings.ts';
import { neighbour } from './navigation.ts';

const RADIUS = 9; // px
const MARGIN = 16; // px

export interface TreeDrawingProps {
  readonly title: string; // names the tree for a screen reader
  readonly tree: TreeState;
  readonly nodes: readonly (TurnNode | undefined)[]; // those grown so far
  readonly draw: (node: TurnNode) => NodeDrawing;
  readonly lit?: ReadonlySet<NodeId>; // numbers in use: ringed
  readonly focus?: NodeId | null; // the node a step is about: ringed twice
  readonly faded?: ReadonlySet<NodeId> | null; // null: none
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** Room for the whole tree from the start, so that growing moves nothing. */
function useLayout(nodes: readonly (TurnNode | undefined)[], size: Size): TreeLayout {
  const rollout = useRun((run) => run.header?.config.algorithm.rollout ?? null);
  const callLimit = useRun((run) => run.header?.environment.callLimit ?? 0);
  return useMemo(() => {
    const capacity = rollout ? rollout.initialBranches + rollout.iterations * rollout.picks : 1;
    const columnCapacity = callLimit + 2; // the root, every call's turn, the answer
    const columnWidth = clamp((size.width - 4 * MARGIN) / columnCapacity, 84, 170);
    const rowHeight = clamp((size.height - 2 * MARGIN) / capacity, 27, 52);
    return layOutTree(nodes, { columnWidth, rowHeight, capacity, columnCapacity });
  }, [nodes, size, rollout, callLimit]);
}

function Links({ layout, path }: { readonly layout: TreeLayout; readonly path: ReadonlySet<NodeId> }) {
  return (
    <g aria-hidden="true" className="links">
      {layout.links.map((link) => (
        <path
          key={link.target.id}
          d={linkPath(link, RADIUS)}
          data-on-path={path.has(link.target.id)}
          strokeWidth={1 + Math.log2(link.target.leafCount)}
        />
      ))}
    </g>
  );
}

interface NodeShapeProps {
  readonly node: TurnNode;
  readonly reward: number | null | undefined;
  readonly drawing: NodeDrawing;
}

function NodeShape({ node, reward, drawing }: NodeShapeProps) {
  if (node.parent === null) return <circle r={RADIUS / 2} style={{ fill: 'var(--ink)' }} />;
  if (node.ending === null)
    return (
      <>
        <circle r={RADIUS} style={{ fill: drawing.fill }} strokeDasharray={drawing.dash} />
        <text className="node-glyph" y={3} aria-hidden="true">
          {drawing.glyph}
        </text>
      </>
    );
  const kind = rewardClass(reward);
  const inner = RADIUS - 3; // the frame carries the colour, the mark stands on the page's own
  return (
    <>
      <rect
        x={-RADIUS}
        y={-RADIUS}
        width={2 * RADIUS}
        height={2 * RADIUS}
        rx={2}
        style={{ fill: drawing.fill }}
      />
      <rect className="leaf-inside" x={-inner} y={-inner} width={2 * inner} height={2 * inner} rx={1} />
      <path d={rewardMarkPath(kind, 0, 0, inner - 2)} style={rewardMarkStyle(kind)} />
    </>
  );
}

/** The iteration that added a node; empty for one that was there from the start. */
const badgeOf = ({ origin }: TurnNode): string =>
  origin.kind === 'expansion' || origin.kind === 'branch' ? `+${origin.iteration + 1}` : '';

/** What a screen reader says of a node; it begins with the text that is drawn. */
function describe(node: TurnNode, drawing: NodeDrawing): string {
  const drawn = `${nodeName(node.id)} ${drawing.label}`.trim();
  if (node.parent === null) return `${drawn}, the question, ${drawing.words}`;
  const { origin } = node;
  const badge = badgeOf(node) && ` ${badgeOf(node)}`;
  const from = origin.kind === 'expansion' ? `, samples ${nodeName(origin.resampled)} again` : '';
  const ending = node.ending === null ? '' : `, ended by ${node.ending}`;
  return `${drawn}${badge}, ${drawing.words}${ending}${from}`;
}

const pathOf = (nodes: readonly (TurnNode | undefined)[], from: NodeId | null): ReadonlySet<NodeId> => {
  const path = new Set<NodeId>();
  for (let id = from; id !== null; id = nodes[id]?.parent ?? null) path.add(id);
  return path;
};

export function TreeDrawing(props: TreeDrawingProps) {
  const { title, tree, nodes, draw, lit, focus = null, faded = null } = props;
  const frame = useRef<HTMLDivElement>(null);
  const layout = useLayout(nodes, useSize(frame));
  const { selection } = useLab();
  const selected = useSelection(({ node }) => node);
  const hovered = useSelection((state) => state.hovered);
  const path = useMemo(() => pathOf(nodes, hovered ?? selected), [nodes, hovered, selected]);
  const tabStop = selected !== null && layout.byId.has(selected) ? selected : ROOT;

  const pick = (id: NodeId): void =>
    selection.select({ node: id, ...(nodes[id]?.ending != null ? { leaf: id } : {}) });
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = neighbour(layout, tabStop, event.key);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    pick(next);
    frame.current?.querySelector<SVGGElement>(`[data-node="${next}"]`)?.focus();
  };

  const item = (place: PlacedNode) => {
    const node = nodes[place.id];
    if (!node) return null;
    const drawing = draw(node);
    return (
      <g
        key={place.id}
        role="treeitem"
        aria-level={place.column + 1}
        aria-selected={selected === place.id}
        aria-label={describe(node, drawing)}
        data-node={place.id}
        data-lit={lit?.has(place.id) ?? false}
        data-focus={focus === place.id}
        data-faded={faded?.has(place.id) ?? false}
        tabIndex={tabStop === place.id ? 0 : -1}
        transform={`translate(${place.x + MARGIN * 2} ${place.y + MARGIN})`}
        onClick={() => pick(place.id)}
        onPointerEnter={() => selection.select({ hovered: place.id })}
        onPointerLeave={() => selection.select({ hovered: null })}
      >
        <circle className="ring" r={RADIUS + 4} />
        <NodeShape node={node} reward={tree.rewards?.[place.id]} drawing={drawing} />
        <text className="node-label" x={RADIUS + 4} y={-5}>
          <tspan className="node-name">{nodeName(place.id)}</tspan> {drawing.label}
        </text>
        {badgeOf(node) !== '' && (
          <text className="node-badge" x={-RADIUS - 3} y={-RADIUS + 1} aria-hidden="true">
            {badgeOf(node)}
          </text>
        )}
      </g>
    );
  };

  return (
    <div className="tree-frame" ref={frame} onKeyDown={onKeyDown}>
      <svg
        role="tree"
        aria-label={title}
        className="tree-drawing"
        width={layout.width + 4 * MARGIN}
        height={layout.height + 2 * MARGIN}
      >
        <g aria-hidden="true" transform={`translate(${MARGIN * 2} ${MARGIN})`}>
          <Links layout={layout} path={path} />
        </g>
        {layout.nodes.map(item)}
      </svg>
    </div>
  );
}
