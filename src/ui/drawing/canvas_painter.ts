/**
 * Paints the window of a turn tree that a camera shows, in the encodings of TreeSvg. Work per frame follows what is in
 * the window, not the tree. Labels are left out where they could not be read.
 */
import type { NodeId, TurnNode } from '../../units.ts';
import { rewardMarkPath, rewardMarkStyle } from '../parts/parts.tsx';
import { rewardClass } from '../parts/scales.ts';
import { treeWindow, type Box, type Camera } from './camera.ts';
import {
  badgeOf,
  diamond,
  HAND_REACH,
  handWord,
  linkWidth,
  ORIGIN,
  RADIUS,
  stackLabel,
  type DrawnTree,
} from './drawn_tree.ts';
import type { ResolveColour } from './encodings.ts';
import { LABEL_START } from './label_room.ts';
import type { PlacedLink, PlacedNode, PlacedStack } from './tree_layout.ts';

const LABELS_FROM = 0.55; // zoom
const SHAPES_FROM = 0.3; // zoom; further away a node is a dot
const BEYOND = 40; // px outside the frame that links are drawn to
const LINK_OPACITY = 0.7;
const FADED_OPACITY = 0.35;
const MAX_BEND = 10; // px at zoom 1

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

export interface CanvasScene {
  readonly drawn: DrawnTree;
  readonly lastChild: ReadonlyMap<NodeId, PlacedNode>;
  readonly colour: ResolveColour;
  readonly font: string; // family
}

/** One frame being painted; coordinates are px of the frame. */
class Painter {
  private readonly context: CanvasRenderingContext2D;
  private readonly scene: CanvasScene;
  private readonly camera: Camera;
  private readonly frame: Box;
  private readonly radius: number;

  constructor(context: CanvasRenderingContext2D, scene: CanvasScene, camera: Camera, frame: Box) {
    this.context = context;
    this.scene = scene;
    this.camera = camera;
    this.frame = frame;
    this.radius = Math.max(1.6, RADIUS * camera.zoom);
  }

  private x(place: { readonly x: number }): number {
    return (place.x + ORIGIN.x) * this.camera.zoom + this.camera.x;
  }

  private y(place: { readonly y: number }): number {
    return (place.y + ORIGIN.y) * this.camera.zoom + this.camera.y;
  }

  paint(): void {
    const { drawn, lastChild } = this.scene;
    const { y, zoom } = this.camera;
    const top = -y / zoom - ORIGIN.y;
    const shown = treeWindow(drawn.layout, top, top + this.frame.height / zoom, (id) => lastChild.get(id));
    this.context.clearRect(0, 0, this.frame.width, this.frame.height);
    this.links(shown.links);
    this.context.textBaseline = 'alphabetic';
    for (const place of shown.nodes) this.node(place);
    for (const stack of shown.stacks) this.stack(stack);
    this.context.globalAlpha = 1;
  }

  /** Links of equal look share a path: strokes are what costs. */
  private links(links: readonly PlacedLink[]): void {
    const { drawn, colour } = this.scene;
    const groups = new Map<string, { readonly path: Path2D; readonly width: number; readonly onPath: boolean; readonly faded: boolean }>(); // prettier-ignore
    for (const link of links) {
      const { id, leafCount } = link.target;
      const onPath = drawn.path.has(id);
      const faded = drawn.faded?.has(id) ?? false;
      const width = clamp(Math.round(linkWidth(leafCount)), 1, 10);
      const key = `${width} ${onPath} ${faded}`;
      const group = groups.get(key) ?? { path: new Path2D(), width, onPath, faded };
      groups.set(key, group);
      this.link(group.path, link);
    }
    for (const { path, width, onPath, faded } of groups.values()) {
      this.context.globalAlpha = (onPath ? 1 : LINK_OPACITY) * (faded ? FADED_OPACITY : 1);
      this.context.strokeStyle = colour(onPath ? 'var(--accent)' : 'var(--line-strong)');
      this.context.lineWidth = Math.max(0.75, width * this.camera.zoom);
      this.context.stroke(path);
    }
  }

  private link(path: Path2D, { source, target }: PlacedLink): void {
    const [x0, x1] = [this.x(source) + this.radius, this.x(target) - this.radius];
    const low = this.frame.height + BEYOND;
    const [y0, y1] = [clamp(this.y(source), -BEYOND, low), clamp(this.y(target), -BEYOND, low)];
    if (source.row === target.row) {
      path.moveTo(x0, y0);
      path.lineTo(x1, y1);
      return;
    }
    const bend = Math.min((x1 - x0) / 2, Math.abs(y1 - y0) / 2, MAX_BEND * this.camera.zoom);
    const middle = x0 + bend;
    path.moveTo(x0, y0);
    path.quadraticCurveTo(middle, y0, middle, y0 + bend);
    path.lineTo(middle, y1 - bend);
    path.quadraticCurveTo(middle, y1, middle + bend, y1);
    path.lineTo(x1, y1);
  }

  private node(place: PlacedNode): void {
    const { drawn } = this.scene;
    const node = drawn.nodes[place.id];
    if (!node) return;
    const [x, y] = [this.x(place), this.y(place)];
    if (x < -BEYOND * 4 || x > this.frame.width + BEYOND) return;
    this.context.globalAlpha = drawn.faded?.has(place.id) ? FADED_OPACITY : 1;
    this.ring(place.id, x, y);
    if (handWord(node) !== '') this.diamond(x, y);
    if (this.camera.zoom < SHAPES_FROM) this.dot(node, x, y);
    else if (node.ending !== null) this.leaf(node, x, y);
    else this.turn(node, x, y);
    if (this.camera.zoom >= LABELS_FROM) this.label(node, x, y);
  }

  private ring(id: NodeId, x: number, y: number): void {
    const { drawn, colour } = this.scene;
    const chosen = drawn.selected === id || drawn.second === id;
    const marked = drawn.focus === id || drawn.found?.has(id) || drawn.lit?.has(id);
    if (!chosen && !marked) return;
    this.context.strokeStyle = colour(chosen ? 'var(--ink)' : 'var(--accent)');
    this.context.lineWidth = drawn.focus === id || drawn.found?.has(id) ? 3 : 2;
    this.context.setLineDash(drawn.second === id || drawn.lit?.has(id) ? [3, 2] : []);
    this.circle(x, y, this.radius + 4 * Math.max(this.camera.zoom, 0.5));
    this.context.stroke();
    this.context.setLineDash([]);
  }

  /** Round a turn that a person made. */
  private diamond(x: number, y: number): void {
    this.context.strokeStyle = this.scene.colour('var(--accent)');
    this.context.lineWidth = Math.max(1, 1.5 * this.camera.zoom);
    this.context.stroke(new Path2D(diamond(x, y, HAND_REACH * this.radius)));
  }

  private circle(x: number, y: number, radius: number): void {
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
  }

  private dot(node: TurnNode, x: number, y: number): void {
    const { drawn, colour } = this.scene;
    const kind = rewardClass(drawn.rewards?.[node.id]);
    this.context.fillStyle = colour(
      node.ending === null ? drawn.draw(node).fill : rewardMarkStyle(kind).stroke,
    );
    const size = this.radius * 2;
    this.context.fillRect(x - this.radius, y - this.radius, size, size);
  }

  private turn(node: TurnNode, x: number, y: number): void {
    const { drawn, colour } = this.scene;
    const { zoom } = this.camera;
    const drawing = drawn.draw(node);
    const isRoot = node.parent === null;
    this.circle(x, y, isRoot ? this.radius / 2 : this.radius);
    this.context.fillStyle = colour(isRoot ? 'var(--ink)' : drawing.fill);
    this.context.fill();
    this.context.strokeStyle = colour('var(--ink)');
    this.context.lineWidth = Math.max(0.75, 1.5 * zoom);
    const dashes = drawing.dash === 'none' ? [] : drawing.dash.split(' ').map((part) => Number(part) * zoom);
    this.context.setLineDash(dashes);
    this.context.stroke();
    this.context.setLineDash([]);
    if (drawing.glyph !== '' && zoom >= LABELS_FROM)
      this.text(drawing.glyph, x - 3.5 * zoom, y + 3 * zoom, 9);
  }

  private leaf(node: TurnNode, x: number, y: number): void {
    const { drawn, colour } = this.scene;
    const { radius } = this;
    const inner = radius * (2 / 3);
    this.context.fillStyle = colour(drawn.draw(node).fill);
    this.context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    this.context.strokeStyle = colour('var(--ink)');
    this.context.lineWidth = Math.max(0.75, 1.5 * this.camera.zoom);
    this.context.strokeRect(x - radius, y - radius, 2 * radius, 2 * radius);
    this.context.fillStyle = colour('var(--surface)');
    this.context.fillRect(x - inner, y - inner, 2 * inner, 2 * inner);
    const kind = rewardClass(drawn.rewards?.[node.id]);
    const style = rewardMarkStyle(kind);
    const mark = new Path2D(rewardMarkPath(kind, x, y, inner - 1));
    this.context.strokeStyle = colour(style.stroke);
    this.context.lineWidth = style.strokeWidth * this.camera.zoom;
    if (style.fill !== 'none') {
      this.context.fillStyle = colour(style.fill);
      this.context.fill(mark);
    }
    this.context.stroke(mark);
  }

  private text(text: string, x: number, y: number, size: number, colour = 'var(--ink)'): void {
    const px = Math.round(size * this.camera.zoom * 2) / 2; // few sizes: glyphs are drawn anew for each
    this.context.font = `${px}px ${this.scene.font}`;
    this.context.fillStyle = this.scene.colour(colour);
    this.context.fillText(text, x, y);
  }

  private label(node: TurnNode, x: number, y: number): void {
    const { zoom } = this.camera;
    const { name, label, note } = this.scene.drawn.write(node);
    const left = x + LABEL_START * zoom;
    this.text(name, left, y - 5 * zoom, 12, 'var(--ink-faint)');
    const after = name === '' ? left : left + this.context.measureText(`${name} `).width;
    this.text(label, after, y - 5 * zoom, 13);
    const badge = badgeOf(node);
    if (badge !== '') {
      this.context.textAlign = 'right';
      this.text(badge, x - (RADIUS + 3) * zoom, y - (RADIUS - 1) * zoom, 11, 'var(--accent)');
      this.context.textAlign = 'left';
    }
    if (note !== '') this.text(note, left, y + (RADIUS + 3) * zoom, 11, 'var(--accent)');
  }

  private stack(stack: PlacedStack): void {
    const [x, y] = [this.x(stack), this.y(stack)];
    const { stop } = this.scene.drawn;
    const current = stop.kind === 'stack' && stop.id === stack.parent;
    this.context.globalAlpha = 1;
    this.circle(x, y, this.radius);
    this.context.strokeStyle = this.scene.colour(current ? 'var(--accent)' : 'var(--line-strong)');
    this.context.lineWidth = current ? 3 : 1;
    this.context.stroke();
    if (this.camera.zoom >= LABELS_FROM)
      this.text(stackLabel(stack), x + (RADIUS + 4) * this.camera.zoom, y + 4 * this.camera.zoom, 13);
  }
}

/** @param frame px of the page; the context is scaled for the screen already */
export function paintTree(
  context: CanvasRenderingContext2D,
  scene: CanvasScene,
  camera: Camera,
  frame: Box,
): void {
  new Painter(context, scene, camera, frame).paint();
}
