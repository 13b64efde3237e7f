/** The whole of a tree that does not fit, squeezed: nodes as specks, and the window that the frame shows. Drag to move. */
import { useEffect, useLayoutEffect, useRef, type PointerEvent } from 'react';
import { fittingZoom, READABLE_ZOOM, type Box } from './camera.ts';
import { REWARD_COLOURS, rewardClass } from '../parts/scales.ts';
import { canvasBackingSize } from '../parts/use_size.ts';
import type { ResolveColour } from './encodings.ts';
import { ORIGIN, drawingBox, type DrawnTree } from './drawn_tree.ts';
import type { CameraControl } from './use_camera.ts';

const WIDTH = 92; // px
const LEAST_WINDOW = 6; // px: the window stays visible

interface MinimapProps {
  readonly drawn: DrawnTree;
  readonly control: CameraControl;
  readonly frame: Box;
  readonly colour: ResolveColour;
}

function paint(canvas: HTMLCanvasElement, drawn: DrawnTree, size: Box, colour: ResolveColour): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const ratio = canvasBackingSize(canvas, size);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  const drawing = drawingBox(drawn.layout);
  const [across, down] = [size.width / drawing.width, size.height / drawing.height];
  const height = Math.max(1, Math.min(4, drawn.layout.rowHeight * down * 0.7));
  for (const { id, x, y } of drawn.layout.nodes) {
    const node = drawn.nodes[id];
    const found = drawn.found?.has(id) ?? false;
    const leafColour = REWARD_COLOURS[rewardClass(drawn.rewards?.[id])];
    context.fillStyle = colour(
      found ? 'var(--accent)' : node?.ending == null ? 'var(--line-strong)' : leafColour,
    );
    const wide = found ? 8 : 4;
    context.fillRect((x + ORIGIN.x) * across - wide / 2, (y + ORIGIN.y) * down - height / 2, wide, height);
  }
}

/** A tree that is readable as a whole needs no map. */
export const needsMap = (drawing: Box, frame: Box): boolean =>
  frame.width > 0 && fittingZoom(drawing, frame) < READABLE_ZOOM;

export function Minimap({ drawn, control, frame, colour }: MinimapProps) {
  const map = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const windowMark = useRef<HTMLDivElement>(null);
  const { layout, nodes, rewards, found } = drawn;
  const { width, height } = drawingBox(layout);
  const size = { width: WIDTH, height: Math.max(60, frame.height - 16) };
  const [across, down] = [size.width / width, size.height / height];

  useEffect(() => {
    if (canvas.current) paint(canvas.current, drawn, size, colour);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- of `drawn` only these parts are painted
  }, [layout, nodes, rewards, found, colour, size.height]);

  useLayoutEffect(() => {
    const show = ({ x, y, zoom }: ReturnType<typeof control.camera.getState>): void => {
      const style = windowMark.current?.style;
      if (!style) return;
      const wide = Math.min(size.width, (frame.width / zoom) * across);
      const tall = Math.max(LEAST_WINDOW, Math.min(size.height, (frame.height / zoom) * down));
      style.transform = `translate(${(-x / zoom) * across}px, ${Math.min((-y / zoom) * down, size.height - tall)}px)`;
      const [width, height] = [`${wide}px`, `${tall}px`];
      if (style.width !== width) style.width = width; // a pan only moves it
      if (style.height !== height) style.height = height;
    };
    show(control.camera.getState());
    return control.camera.subscribe(show);
  }, [control, frame.width, frame.height, size.width, size.height, across, down]);

  const drag = (event: PointerEvent): void => {
    if (event.buttons === 0 || !map.current) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const { left, top } = map.current.getBoundingClientRect();
    control.centreOn({ x: (event.clientX - left) / across, y: (event.clientY - top) / down });
  };
  return (
    <div
      ref={map}
      className="minimap"
      aria-hidden="true"
      style={{ width: size.width, height: size.height }}
      onPointerDown={drag}
      onPointerMove={drag}
    >
      <canvas ref={canvas} />
      <div ref={windowMark} className="minimap-window" />
    </div>
  );
}
