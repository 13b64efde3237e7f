/** Pan and zoom of a frame: wheel, drag, pinch. The camera lives outside React: moving it renders nothing. */
import { useEffect, useLayoutEffect, useState, type RefObject } from 'react';
import { createStore, type StoreApi } from 'zustand/vanilla';
import {
  homeCamera,
  revealing,
  settled,
  wholeCamera,
  zoomedAt,
  type Box,
  type Camera,
  type Point,
} from './camera.ts';

export type CameraStore = StoreApi<Camera>;

export const createCamera = (): CameraStore => createStore<Camera>(() => ({ x: 0, y: 0, zoom: 1 }));

export const ZOOM_STEP = 1.4; // of a key or a button
const WHEEL_DOUBLING = 300; // px of wheel for twice the size
const LINE_PX = 16; // a wheel that counts lines
const DRAG_START = 4; // px; less is a click
const REVEAL_MARGIN = 60; // px

export interface CameraControl {
  readonly camera: CameraStore;
  readonly zoomBy: (factor: number, at?: Point) => void;
  readonly home: () => void;
  readonly whole: () => void;
  readonly reveal: (place: Point) => void;
  readonly centreOn: (place: Point) => void;
}

/** What gestures read at the moment they happen. */
class Stage {
  readonly camera: CameraStore;
  drawing: Box = { width: 0, height: 0 };
  frame: Box = { width: 0, height: 0 };
  moved = false; // by a person: until then the camera stays at home

  constructor(camera: CameraStore) {
    this.camera = camera;
  }

  resize(drawing: Box, frame: Box): void {
    this.drawing = drawing;
    this.frame = frame;
    const next = this.moved ? settled(this.camera.getState(), drawing, frame) : homeCamera(drawing, frame);
    this.show(next);
  }

  show(next: Camera): void {
    const { x, y, zoom } = this.camera.getState();
    if (next.x !== x || next.y !== y || next.zoom !== zoom) this.camera.setState(next, true);
  }

  move(next: Camera): void {
    this.moved = true;
    this.show(settled(next, this.drawing, this.frame));
  }

  readonly zoomBy = (factor: number, at?: Point): void => {
    const { width, height } = this.frame;
    const point = at ?? { x: width / 2, y: height / 2 };
    this.move(zoomedAt(this.camera.getState(), factor, point, this.drawing, this.frame));
  };

  readonly home = (): void => {
    this.moved = false;
    this.show(homeCamera(this.drawing, this.frame));
  };

  readonly whole = (): void => this.move(wholeCamera(this.drawing, this.frame));

  readonly reveal = (place: Point): void => {
    if (this.frame.width === 0) return;
    this.show(revealing(this.camera.getState(), place, this.drawing, this.frame, REVEAL_MARGIN));
  };

  readonly centreOn = (place: Point): void => {
    const { zoom } = this.camera.getState();
    const { width, height } = this.frame;
    this.move({ x: width / 2 - place.x * zoom, y: height / 2 - place.y * zoom, zoom });
  };
}

const wheelPx = (event: WheelEvent): number =>
  event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);

/** Pointers that are down on a frame: one drags, two pinch. */
function listenToPointers(frame: HTMLElement, stage: Stage): () => void {
  const down = new Map<number, Point>();
  let dragging = false;
  const at = (event: MouseEvent): Point => {
    const { left, top } = frame.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const spread = (): { readonly size: number; readonly middle: Point } => {
    const [a, b] = [...down.values()];
    return {
      size: Math.hypot(a.x - b.x, a.y - b.y) || 1,
      middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
    };
  };
  const press = (event: PointerEvent): void => {
    if (event.button !== 0 || (event.target as Element).closest('button, .minimap')) return;
    down.set(event.pointerId, at(event));
    dragging = down.size > 1;
  };
  const move = (event: PointerEvent): void => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    const far = Math.hypot(now.x - before.x, now.y - before.y);
    if (!dragging && far < DRAG_START) return;
    if (!dragging) frame.setPointerCapture(event.pointerId); // from here on it is no click
    dragging = true;
    const old = down.size > 1 ? spread() : null;
    down.set(event.pointerId, now);
    if (old) {
      const { size, middle } = spread();
      stage.zoomBy(size / old.size, middle);
      return;
    }
    const { x, y, zoom } = stage.camera.getState();
    stage.move({ x: x + now.x - before.x, y: y + now.y - before.y, zoom });
  };
  const release = (event: PointerEvent): void => {
    down.delete(event.pointerId);
  };
  const click = (event: MouseEvent): void => {
    if (dragging) event.stopPropagation(); // the end of a drag is no click
    dragging = false;
  };
  frame.addEventListener('pointerdown', press);
  frame.addEventListener('pointermove', move);
  frame.addEventListener('pointerup', release);
  frame.addEventListener('pointercancel', release);
  frame.addEventListener('click', click, true);
  return () => {
    frame.removeEventListener('pointerdown', press);
    frame.removeEventListener('pointermove', move);
    frame.removeEventListener('pointerup', release);
    frame.removeEventListener('pointercancel', release);
    frame.removeEventListener('click', click, true);
  };
}

/** The wheel zooms where the frame owns it; elsewhere it scrolls the page unless Ctrl is held (a pinch on a trackpad). */
function listenToWheel(frame: HTMLElement, stage: Stage, ownsWheel: boolean): () => void {
  const wheel = (event: WheelEvent): void => {
    if (!ownsWheel && !event.ctrlKey) return;
    event.preventDefault();
    const { left, top } = frame.getBoundingClientRect();
    const point = { x: event.clientX - left, y: event.clientY - top };
    if (event.shiftKey) {
      const { x, y, zoom } = stage.camera.getState();
      stage.move({ x: x - event.deltaX, y: y - wheelPx(event), zoom });
    } else stage.zoomBy(2 ** (-wheelPx(event) / WHEEL_DOUBLING), point);
  };
  frame.addEventListener('wheel', wheel, { passive: false });
  return () => frame.removeEventListener('wheel', wheel);
}

/**
 * @param shared a camera that several frames show; default: the frame's own
 * @param ownsWheel the wheel over the frame zooms, and does not scroll the page
 */
export function useCamera(
  ref: RefObject<HTMLElement | null>,
  drawing: Box,
  frame: Box,
  shared: CameraStore | undefined,
  ownsWheel: boolean,
): CameraControl {
  const [stage] = useState(() => new Stage(shared ?? createCamera()));
  const { width, height } = drawing;
  useLayoutEffect(() => stage.resize({ width, height }, frame), [stage, width, height, frame]);
  useEffect(() => (ref.current ? listenToPointers(ref.current, stage) : undefined), [ref, stage]);
  useEffect(
    () => (ref.current ? listenToWheel(ref.current, stage, ownsWheel) : undefined),
    [ref, stage, ownsWheel],
  );
  return stage;
}
