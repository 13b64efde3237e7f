/**
 * A turn tree on a canvas, for thousands of nodes. Behind it stands the same ARIA tree as in TreeSvg, but only its part
 * around the current node: the path to it, its sisters and its children. The browser draws at most once a frame.
 */
import { useEffect, useMemo, useRef, useState, type MouseEvent } from 'react';
import type { NodeId } from '../../units.ts';
import { placeAt, type Box, type Point } from '../layout/camera.ts';
import { hitTest, lastChildren } from '../layout/window.ts';
import { canvasBackingSize } from '../use_size.ts';
import { paintTree, type CanvasScene } from './canvas_painter.ts';
import type { ResolveColour } from './colours.ts';
import { ORIGIN, RADIUS, describe, type DrawnTree, type TreeActions } from './drawn_tree.ts';
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

/** Ids that assistive technology sees, in pre-order. */
function nearby({ layout, nodes, tabStop }: DrawnTree): readonly NodeId[] {
  const path: NodeId[] = [];
  for (let id: NodeId | null = tabStop; id !== null; id = nodes[id]?.parent ?? null) path.unshift(id);
  const parent = nodes[tabStop]?.parent ?? null;
  const sisters = parent === null ? [tabStop] : (nodes[parent]?.children ?? []);
  const at = sisters.indexOf(tabStop);
  const around = sisters.slice(Math.max(0, at - SISTERS), at + SISTERS + 1);
  const before = around.slice(0, around.indexOf(tabStop));
  const after = around.slice(around.indexOf(tabStop) + 1);
  const children = (nodes[tabStop]?.children ?? []).slice(0, SISTERS);
  return [...path.slice(0, -1), ...before, tabStop, ...children, ...after].filter((id) =>
    layout.byId.has(id),
  );
}

const itemId = (title: string, id: NodeId): string => `${title.replace(/\W+/g, '-')}-${id}`;

/** The spoken tree. Its items are never focused themselves: they come and go. */
function SpokenTree({ drawn, foldable }: { readonly drawn: DrawnTree; readonly foldable: boolean }) {
  const { layout, nodes, title, tabStop } = drawn;
  return (
    <div
      role="tree"
      aria-label={title}
      aria-activedescendant={itemId(title, tabStop)}
      tabIndex={0}
      className="spoken-tree"
    >
      {nearby(drawn).map((id) => {
        const node = nodes[id];
        const place = layout.byId.get(id);
        if (!node || !place) return null;
        const sisters = node.parent === null ? [id] : (nodes[node.parent]?.children ?? []);
        return (
          <div
            key={id}
            id={itemId(title, id)}
            role="treeitem"
            aria-level={place.column + 1}
            aria-posinset={sisters.indexOf(id) + 1}
            aria-setsize={sisters.length}
            aria-selected={drawn.selected === id}
            aria-expanded={foldable && node.children.length > 0 ? place.hiddenCount === 0 : undefined}
            aria-label={describe(node, drawn.draw(node))}
            data-node={id}
          />
        );
      })}
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
