/** A turn tree as SVG: an ARIA tree of real elements, for trees of some hundred nodes. */
import { memo, useLayoutEffect, useRef } from 'react';
import type { NodeId, TurnNode } from '../../units.ts';
import { linkPath, type PlacedNode } from './tree_layout.ts';
import { rewardMarkPath, rewardMarkStyle } from '../parts/parts.tsx';
import { rewardClass } from '../parts/scales.ts';
import {
  HAND_REACH,
  ORIGIN,
  RADIUS,
  badgeOf,
  describe,
  describeStack,
  diamond,
  handWord,
  linkWidth,
  stackLabel,
  type DrawnTree,
  type TreeActions,
} from './drawn_tree.ts';
import type { NodeDrawing } from './encodings.ts';
import { LABEL_START } from './label_room.ts';
import type { NodeText } from './drawn_tree.ts';
import type { CameraStore } from './use_camera.ts';

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
  const [outerSize, innerSize] = [2 * RADIUS, 2 * inner];
  return (
    <>
      <rect
        x={-RADIUS}
        y={-RADIUS}
        width={outerSize}
        height={outerSize}
        rx={2}
        style={{ fill: drawing.fill }}
      />
      <rect className="leaf-inside" x={-inner} y={-inner} width={innerSize} height={innerSize} rx={1} />
      <path d={rewardMarkPath(kind, 0, 0, inner - 2)} style={rewardMarkStyle(kind)} />
    </>
  );
}

interface TreeItemProps extends NodeShapeProps {
  readonly place: PlacedNode;
  readonly text: NodeText;
  readonly expanded: boolean | undefined; // undefined: nothing to fold
  readonly selected: boolean;
  readonly second: boolean;
  readonly tabStop: boolean;
  readonly lit: boolean;
  readonly found: boolean;
  readonly focus: boolean;
  readonly faded: boolean;
  readonly actions: TreeActions;
}

const shallowEqual = <T extends object>(a: T, b: T, but: readonly string[] = []): boolean =>
  a === b || (Object.keys(a) as (keyof T & string)[]).every((key) => but.includes(key) || a[key] === b[key]);

/** Places and drawings are made anew while a tree grows; what they say changes for few nodes. */
const sameItem = (a: TreeItemProps, b: TreeItemProps): boolean =>
  shallowEqual(a, b, ['place', 'drawing', 'text']) &&
  shallowEqual(a.place, b.place) &&
  shallowEqual(a.text, b.text) &&
  shallowEqual(a.drawing, b.drawing);

const TreeItem = memo(function TreeItem(props: TreeItemProps) {
  const { place, node, reward, drawing, text, actions } = props;
  const badge = badgeOf(node);
  const words = describe(node, drawing, drawing.action ? text.note : '');
  return (
    <g
      role="treeitem"
      aria-level={place.column + 1}
      aria-selected={props.selected}
      aria-expanded={props.expanded}
      aria-label={`${words}${props.second ? ', pinned for comparing' : ''}`}
      data-node={place.id}
      data-lit={props.lit}
      data-found={props.found}
      data-focus={props.focus}
      data-second={props.second}
      data-faded={props.faded}
      tabIndex={props.tabStop ? 0 : -1}
      transform={`translate(${place.x} ${place.y})`}
      onClick={(event) => actions.pick(place.id, event.shiftKey)}
      onDoubleClick={() => actions.fold?.(place.id)}
      onPointerEnter={() => actions.hover(place.id)}
      onPointerLeave={() => actions.hover(null)}
    >
      {text.isShort && <title>{words}</title>}
      <circle className="ring" r={RADIUS + 4} />
      {handWord(node) !== '' && <path className="by-hand" d={diamond(0, 0, HAND_REACH * RADIUS)} />}
      <NodeShape node={node} reward={reward} drawing={drawing} />
      <text className="node-label" x={LABEL_START} y={-5}>
        {text.name !== '' && (
          <>
            <tspan className="node-name">{text.name}</tspan>{' '}
          </>
        )}
        {text.label}
      </text>
      {badge !== '' && (
        <text className="node-badge" x={-RADIUS - 3} y={-RADIUS + 1} aria-hidden="true">
          {badge}
        </text>
      )}
      {text.note !== '' && (
        <text className="node-hidden" x={LABEL_START} y={RADIUS + 3}>
          {` ${text.note}`}
        </text>
      )}
    </g>
  );
}, sameItem);

function Links({ drawn }: { readonly drawn: DrawnTree }) {
  const { layout, path } = drawn;
  return (
    <g aria-hidden="true" className="links">
      {layout.links.map((link) => (
        <path
          key={link.target.id}
          d={linkPath(link, RADIUS)}
          data-on-path={path.has(link.target.id)}
          data-faded={drawn.faded?.has(link.target.id) ?? false}
          strokeWidth={linkWidth(link.target.leafCount)}
        />
      ))}
      {layout.stacks.map((stack) => {
        const source = layout.byId.get(stack.parent);
        return (
          source && <path key={`stack ${stack.parent}`} d={linkPath({ source, target: stack }, RADIUS)} />
        );
      })}
    </g>
  );
}

interface TreeSvgProps {
  readonly drawn: DrawnTree;
  readonly actions: TreeActions;
  readonly camera: CameraStore;
}

export function TreeSvg({ drawn, actions, camera }: TreeSvgProps) {
  const world = useRef<SVGGElement>(null);
  const { layout, nodes } = drawn;
  useLayoutEffect(() => {
    const move = ({ x, y, zoom }: ReturnType<typeof camera.getState>): void =>
      world.current?.setAttribute('transform', `translate(${x} ${y}) scale(${zoom})`);
    move(camera.getState());
    return camera.subscribe(move);
  }, [camera]);
  const has = (set: ReadonlySet<NodeId> | null, id: NodeId): boolean => set?.has(id) ?? false;
  return (
    <svg role="tree" aria-label={drawn.title} className="tree-drawing">
      <g ref={world}>
        <g transform={`translate(${ORIGIN.x} ${ORIGIN.y})`}>
          <Links drawn={drawn} />
          {layout.nodes.map((place) => {
            const node = nodes[place.id];
            return (
              node && (
                <TreeItem
                  key={place.id}
                  place={place}
                  node={node}
                  reward={drawn.rewards?.[place.id]}
                  drawing={drawn.draw(node)}
                  text={drawn.write(node)}
                  expanded={actions.fold && node.children.length > 0 ? place.hiddenCount === 0 : undefined}
                  selected={drawn.selected === place.id}
                  second={drawn.second === place.id}
                  tabStop={drawn.stop.kind === 'node' && drawn.stop.id === place.id}
                  lit={has(drawn.lit, place.id)}
                  found={has(drawn.found, place.id)}
                  focus={drawn.focus === place.id}
                  faded={has(drawn.faded, place.id)}
                  actions={actions}
                />
              )
            );
          })}
          {layout.stacks.map((stack) => (
            <g
              key={stack.parent}
              role="treeitem"
              aria-level={stack.column + 1}
              aria-selected={false}
              aria-expanded={false}
              aria-label={describeStack(stack)}
              data-stack={stack.parent}
              tabIndex={drawn.stop.kind === 'stack' && drawn.stop.id === stack.parent ? 0 : -1}
              transform={`translate(${stack.x} ${stack.y})`}
              onClick={() => actions.fold?.(stack.parent)}
            >
              <circle className="ring" r={RADIUS + 4} />
              <rect
                className="stack"
                x={-RADIUS}
                y={-RADIUS}
                width={2 * RADIUS}
                height={2 * RADIUS}
                rx={RADIUS}
              />
              <text className="node-label" x={RADIUS + 4} y={4}>
                {stackLabel(stack)}
              </text>
            </g>
          ))}
        </g>
      </g>
    </svg>
  );
}
