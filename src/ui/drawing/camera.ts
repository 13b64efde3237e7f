/** What part of a drawing a frame shows: pan and zoom as pure functions. A place p of the drawing is at p·zoom + (x, y). */
import type { NodeId } from '../../units.ts';
import type { PlacedLink, PlacedNode, PlacedStack, TreeLayout } from './tree_layout.ts';

export interface Camera {
  readonly x: number; // px of the frame
  readonly y: number;
  readonly zoom: number; // px of the frame per px of the drawing
}

export interface Box {
  readonly width: number; // px
  readonly height: number;
}

export interface Point {
  readonly x: number; // px
  readonly y: number;
}

/** Labels are read from here on; a frame opens no further away, however large its drawing. */
export const READABLE_ZOOM = 0.6;
const MAX_ZOOM = 4;
const MIN_ZOOM = 0.08; // a row of 27 px is two pixels

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** The zoom at which all of the drawing is in the frame. */
export const fittingZoom = (drawing: Box, frame: Box): number =>
  drawing.width > 0 && drawing.height > 0
    ? Math.min(frame.width / drawing.width, frame.height / drawing.height)
    : 1;

/** Keeps one axis in the frame: inside if it fits, else without a gap. */
const settle = (at: number, size: number, room: number): number =>
  clamp(at, Math.min(0, room - size), Math.max(0, room - size));

/** The nearest camera that wastes no room and keeps to the limits of zoom. */
export function settled(camera: Camera, drawing: Box, frame: Box): Camera {
  const zoom = clamp(camera.zoom, clamp(fittingZoom(drawing, frame), MIN_ZOOM, 0.5), MAX_ZOOM);
  return {
    x: settle(camera.x, drawing.width * zoom, frame.width),
    y: settle(camera.y, drawing.height * zoom, frame.height),
    zoom,
  };
}

/** Where a frame opens: the whole drawing if it is readable, else its top left corner at a size that is. */
export const homeCamera = (drawing: Box, frame: Box): Camera => ({
  x: 0,
  y: 0,
  zoom: clamp(fittingZoom(drawing, frame), READABLE_ZOOM, 1),
});

/** As much of the drawing as the limits of zoom allow. */
export const wholeCamera = (drawing: Box, frame: Box): Camera =>
  settled({ x: 0, y: 0, zoom: Math.min(1, fittingZoom(drawing, frame)) }, drawing, frame);

/** Zooms by a factor; what is under `point` of the frame stays there where the limits let it. */
export function zoomedAt(camera: Camera, factor: number, point: Point, drawing: Box, frame: Box): Camera {
  const { zoom } = settled({ ...camera, zoom: camera.zoom * factor }, drawing, frame);
  const ratio = zoom / camera.zoom;
  const x = point.x - (point.x - camera.x) * ratio;
  const y = point.y - (point.y - camera.y) * ratio;
  return settled({ x, y, zoom }, drawing, frame);
}

/** Brings a place of the drawing into the frame, `margin` px from its edge, with the least movement. */
export function revealing(camera: Camera, place: Point, drawing: Box, frame: Box, margin: number): Camera {
  const along = (at: number, start: number, room: number): number => {
    const seen = at * camera.zoom + start;
    return start + clamp(seen, Math.min(margin, room / 2), Math.max(room - margin, room / 2)) - seen;
  };
  const x = along(place.x, camera.x, frame.width);
  const y = along(place.y, camera.y, frame.height);
  return settled({ x, y, zoom: camera.zoom }, drawing, frame);
}

/** A point of the frame as a place of the drawing. */
export const placeAt = ({ x, y, zoom }: Camera, point: Point): Point => ({
  x: (point.x - x) / zoom,
  y: (point.y - y) / zoom,
});

// The part of a layout that a window shows, and what stands at a place of it: O(log n + what is in it). Pure.

/** Index of the first entry of a row from `row` on; entries stand in order of their rows. */
function firstFrom(entries: readonly { readonly row: number }[], row: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle].row < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface TreeWindow {
  readonly nodes: readonly PlacedNode[];
  readonly stacks: readonly PlacedStack[];
  readonly links: readonly PlacedLink[]; // every link that crosses the window; the long one to a last child stands for its sisters
}

const ROWS_AROUND = 1;

/** @param top px of the drawing; `bottom` likewise, both included */
export function treeWindow(
  layout: TreeLayout,
  top: number,
  bottom: number,
  lastChild: (id: NodeId) => PlacedNode | undefined,
): TreeWindow {
  const { nodes, stacks, rowHeight, byId } = layout;
  const firstRow = Math.floor(top / rowHeight) - ROWS_AROUND;
  const lastRow = Math.ceil(bottom / rowHeight) + ROWS_AROUND;
  const start = firstFrom(nodes, firstRow);
  const end = firstFrom(nodes, lastRow + 1);
  const inside = nodes.slice(start, end);
  const links: PlacedLink[] = [];
  for (const target of inside) {
    const source = target.parent === null ? undefined : byId.get(target.parent);
    if (source) links.push({ source, target });
  }
  // A link that leaves the window downwards starts at a node inside it, or at an ancestor of its first node.
  const sources = [...inside];
  for (let id = nodes[start]?.parent ?? null; id !== null; id = byId.get(id)?.parent ?? null) {
    const ancestor = byId.get(id);
    if (ancestor && ancestor.row < firstRow) sources.push(ancestor);
  }
  for (const source of sources) {
    const target = lastChild(source.id);
    if (target && target.row > lastRow) links.push({ source, target });
  }
  const firstStack = firstFrom(stacks, firstRow);
  return { nodes: inside, stacks: stacks.slice(firstStack, firstFrom(stacks, lastRow + 1)), links };
}

/** Last child on screen of every node, for `treeWindow`. */
export function lastChildren(layout: TreeLayout): ReadonlyMap<NodeId, PlacedNode> {
  return new Map(layout.links.map(({ source, target }) => [source.id, target]));
}

/** What is drawn within `reach` px of a place of the drawing. */
export function hitTest(layout: TreeLayout, place: Point, reach: number): PlacedNode | PlacedStack | null {
  const row = Math.floor(place.y / layout.rowHeight);
  for (const entries of [layout.nodes, layout.stacks])
    for (let at = firstFrom(entries, row); at < entries.length && entries[at].row === row; at += 1) {
      const entry = entries[at];
      if (Math.hypot(entry.x - place.x, entry.y - place.y) <= reach) return entry;
    }
  return null;
}
