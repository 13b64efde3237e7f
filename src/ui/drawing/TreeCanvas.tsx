/**
 * A turn tree on a canvas, for thousands of nodes. Behind it stands the same ARIA tree as in TreeSvg, but only its part
 * around the current node: the path to it, its sisters and its children. The browser draws at most once a frame.
 */
import { useEffect, useMemo, useRef, useState, type MouseEvent } from 'react';
import type { NodeId } from '../../units.ts';
import { canvasBackingSize } from '../parts/use_size.ts';
import { hitTest, lastChildren, placeAt, type Box, type Point } from './camera.ts';
import { paintTree, type CanvasScene } from './canvas_painter.ts';
import { describe, describeStack, ORIGIN, RADIUS, type DrawnTree, type TreeActions } from './drawn_tree.ts';
import type { ResolveColour } from './encodings.ts';
import { placeOf, stackOf, type TreeStop } from './navigation.ts';
import type { TreeLayout } from './tree_layout.ts';
import type { CameraStore } from './use_camera.ts';

const REACH = 1.8 * RADIUS; // px of the drawing, around a node's centre
const SISTERS = 20; // on either side, and children, in the ARIA tree

interface TreeCanvasProps {
  readonly drawn: DrawnTree;
  readonly actions: TreeActions;
  readonly camera: CameraStore;
  readonly size: Box;
  readonly colour: ResolveColour;
}

/** The stack of a node's younger children, if it has one. */
const stacksOf = (layout: TreeLayout, parent: NodeId): readonly TreeStop[] =>
  stackOf(layout, parent) ? [{ kind: 'stack', id: parent }] : [];

/** What assistive technology sees of the tree, in pre-order. */
function nearby({ layout, nodes, stop }: DrawnTree): readonly TreeStop[] {
  const shown = (ids: readonly NodeId[]): readonly NodeId[] => ids.filter((id) => layout.byId.has(id));
  const childrenOf = (id: NodeId): readonly NodeId[] => shown(nodes[id]?.children ?? []);
  const centre = stop.kind === 'stack' ? (childrenOf(stop.id).at(-1) ?? stop.id) : stop.id; // a stack is the last sister
  const parent = nodes[centre]?.parent ?? null;
  const path: NodeId[] = [];
  for (let id = parent; id !== null; id = nodes[id]?.parent ?? null) path.unshift(id);
  const sisters = parent === null ? [centre] : childrenOf(parent);
  const at = sisters.indexOf(centre);
  const before = sisters.slice(Math.max(0, at - SISTERS), at);
  const after = sisters.slice(at + 1, at + SISTERS + 1);
  const stops = (ids: readonly NodeId[]): readonly TreeStop[] => ids.map((id) => ({ kind: 'node', id }));
  return [
    ...stops([...shown(path), ...before, centre, ...childrenOf(centre).slice(0, SISTERS)]),
    ...stacksOf(layout, centre),
    ...stops(after),
    ...(parent === null ? [] : stacksOf(layout, parent)),
  ];
}

const itemId = (title: string, { kind, id }: TreeStop): string =>
  `${title.replace(/\W+/g, '-')}-${kind === 'stack' ? 'stack-' : ''}${id}`;

interface SpokenItemProps {
  readonly drawn: DrawnTree;
  readonly at: TreeStop;
  readonly foldable: boolean;
}

function SpokenItem({ drawn, at, foldable }: SpokenItemProps) {
  const { layout, nodes, title } = drawn;
  const place = placeOf(layout, at);
  const node = nodes[at.id];
  if (!place || !node) return null;
  const item = { id: itemId(title, at), role: 'treeitem', 'aria-level': place.column + 1 };
  if ('nodeCount' in place)
    return (
      <div
        {...item}
        aria-selected={false}
        aria-expanded={false}
        aria-label={describeStack(place)}
        data-stack={at.id}
      />
    );
  const sisters = node.parent === null ? [at.id] : (nodes[node.parent]?.children ?? []);
  return (
    <div
      {...item}
      aria-posinset={sisters.indexOf(at.id) + 1}
      aria-setsize={sisters.length}
      aria-selected={drawn.selected === at.id}
      aria-expanded={foldable && node.children.length > 0 ? place.hiddenCount === 0 : undefined}
      aria-label={describe(node, drawn.draw(node))}
      data-node={at.id}
    />
  );
}

/** The spoken tree. Its items are never focused themselves: they come and go. */
function SpokenTree({ drawn, foldable }: { readonly drawn: DrawnTree; readonly foldable: boolean }) {
  const { title, stop } = drawn;
  return (
    <div
      role="tree"
      aria-label={title}
      aria-activedescendant={itemId(title, stop)}
      tabIndex={0}
      className="spoken-tree"
    >
      {nearby(drawn).map((at) => (
        <SpokenItem key={itemId(title, at)} drawn={drawn} at={at} foldable={foldable} />
      ))}
    </div>
  );
}

/** Paints at most once a frame, whoever asks. */
class FrameLoop {
  #pending = 0;
  #paint: () => void = () => undefined;

  setPaint(paint: () => void): void {
    this.#paint = paint;
    this.ask();
  }

  readonly ask = (): void => {
    this.#pending ||= requestAnimationFrame(() => {
      this.#pending = 0;
      this.#paint();
    });
  };

  stop(): void {
    cancelAnimationFrame(this.#pending);
    this.#pending = 0;
  }
}

function useFrames(paint: () => void): () => void {
  const [loop] = useState(() => new FrameLoop());
  useEffect(() => loop.setPaint(paint));
  useEffect(() => () => loop.stop(), [loop]);
  return loop.ask;
}

export function TreeCanvas({ drawn, actions, camera, size, colour }: TreeCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { layout } = drawn;
  const lastChild = useMemo(() => lastChildren(layout), [layout]);
  const ask = useFrames(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || size.width === 0) return;
    const ratio = canvasBackingSize(element, size);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const scene: CanvasScene = { drawn, lastChild, colour, font: getComputedStyle(element).fontFamily };
    paintTree(context, scene, camera.getState(), size);
  });
  useEffect(() => camera.subscribe(ask), [camera, ask]);

  const under = (event: MouseEvent) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const place: Point = placeAt(camera.getState(), { x: event.clientX - left, y: event.clientY - top });
    return hitTest(layout, { x: place.x - ORIGIN.x, y: place.y - ORIGIN.y }, REACH);
  };
  const hover = (event: MouseEvent): void => {
    const hit = under(event);
    event.currentTarget.classList.toggle('pointing', hit !== null);
    actions.hover(hit && 'id' in hit ? hit.id : null);
  };
  const click = (event: MouseEvent): void => {
    const hit = under(event);
    if (hit && 'id' in hit) actions.pick(hit.id, event.shiftKey);
    else if (hit) actions.fold?.(hit.parent);
  };
  const doubleClick = (event: MouseEvent): void => {
    const hit = under(event);
    if (hit && 'id' in hit) actions.fold?.(hit.id);
  };
  return (
    <>
      <canvas
        ref={canvas}
        className="tree-canvas"
        aria-hidden="true"
        onPointerMove={hover}
        onPointerLeave={() => actions.hover(null)}
        onClick={click}
        onDoubleClick={doubleClick}
      />
      <SpokenTree drawn={drawn} foldable={actions.fold !== null} />
    </>
  );
}
