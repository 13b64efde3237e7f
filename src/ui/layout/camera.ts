/** What part of a drawing a frame shows: pan and zoom as pure functions. A place p of the drawing is at p·zoom + (x, y). */

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
