/**
 * A turn tree in a frame to pan and zoom: SVG up to some hundred nodes, a canvas above. Both are an ARIA tree that
 * arrow keys walk, stacks included; hover previews, a click selects, Shift and click pins a second node.
 */
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { selectedUpdate } from '../../store/record/reading.ts';
import type { RunHeader, TreeState } from '../../store/record/run_state.ts';
import { ROOT, type NodeId, type TurnNode } from '../../units.ts';
import { useRecipe, useLab, useRun, useSelection, useSentence, useUpdateNumber } from '../parts/binding.ts';
import { textWidth, useSize, type Size } from '../parts/use_size.ts';
import { useKeys } from '../shell/keys.tsx';
import { READABLE_ZOOM } from './camera.ts';
import {
  drawingBox,
  MARGIN,
  ORIGIN,
  pathOf,
  rememberDrawings,
  type DrawnTree,
  type Nodes,
  type TreeActions,
} from './drawn_tree.ts';
import { useColours, type NodeDrawing } from './encodings.ts';
import { leastColumn, rememberTexts, type Measure } from './label_room.ts';
import { Minimap, needsMap } from './Minimap.tsx';
import { SaveDrawing } from './SaveDrawing.tsx';
import { neighbour, opens, placeOf, stackOf, type TreeStop } from './navigation.ts';
import { layOutTree, type Folding, type TreeLayout } from './tree_layout.ts';
import { TreeCanvas } from './TreeCanvas.tsx';
import { TreeSvg } from './TreeSvg.tsx';
import { useCamera, ZOOM_STEP, type CameraControl, type CameraStore } from './use_camera.ts';

/** More nodes than this are painted on a canvas. */
export const SVG_LIMIT = 400;

export interface TreeDrawingProps {
  readonly title: string; // names the tree for a screen reader
  readonly tree: TreeState;
  readonly nodes: Nodes; // those grown so far
  readonly draw: (node: TurnNode) => NodeDrawing;
  readonly longest?: string; // label that is usual here: columns have room for it
  readonly lit?: ReadonlySet<NodeId>; // numbers in use: ringed
  readonly found?: ReadonlySet<NodeId> | null; // by a search: ringed
  readonly focus?: NodeId | null; // the node a step is about: ringed twice
  readonly about?: NodeId | null; // end of the path that a step is about: drawn thick in place of the selected turn's
  readonly rewards?: TreeState['rewards']; // in place of the tree's: those that are known
  readonly faded?: ReadonlySet<NodeId> | null; // null: none
  readonly folding?: Partial<Folding>;
  readonly onFold?: (id: NodeId) => void;
  /** The view is about this drawing: the wheel and the keys + − 0 act on it, and its nodes can be pinned. */
  readonly main?: boolean;
  readonly camera?: CameraStore; // shared with another drawing
  readonly onPick?: (id: NodeId) => void; // default: the node is selected
  readonly caption?: string; // what its numbers are, for a file of it
  readonly of?: { readonly header: RunHeader | null; readonly update: number }; // absent: of the run on screen
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

const USUAL_LABEL = '−0.00';
const [LOWEST_ROW, HIGHEST_ROW, WIDEST_COLUMN] = [27, 52, 170]; // px
const FONTS = { name: 0.75, label: 0.8125, small: 0.6875 } as const; // rem, as in tree.css

/** Widths in the page's own font; made anew with the window, which its size follows. */
function useMeasure(size: Size): Measure {
  return useMemo(() => {
    void size; // the root's font size depends on the window
    const { fontSize } = getComputedStyle(document.documentElement);
    const { fontFamily } = getComputedStyle(document.body);
    return (text, role) => textWidth(text, `${FONTS[role] * parseFloat(fontSize)}px ${fontFamily}`);
  }, [size]);
}

/** Room for the whole tree from the start, so that growing moves nothing, and for its labels. */
function useLayout(
  { nodes, folding, longest = USUAL_LABEL }: TreeDrawingProps,
  size: Size,
  measure: Measure,
): TreeLayout {
  const rollout = useRecipe((config) => config.algorithm.rollout);
  const callLimit = useRun((run) => run.header?.environment?.callLimit ?? 0);
  return useMemo(() => {
    const turnRows = rollout ? rollout.initialBranches + rollout.iterations * rollout.picks : 1;
    const capacity = rollout && rollout.shape !== 'turn_tree' ? rollout.leavesPerTree : turnRows;
    const columnCapacity = callLimit + 2; // the root, every call's turn, the answer
    const least = leastColumn(capacity * columnCapacity, longest, measure);
    const columnWidth = clamp((size.width - 4 * MARGIN) / columnCapacity, least, Math.max(least, WIDEST_COLUMN)); // prettier-ignore
    const zoom = clamp(size.width / (columnWidth * columnCapacity + 4 * MARGIN), READABLE_ZOOM, 1);
    const rowHeight = clamp((size.height / zoom - 2 * MARGIN) / capacity, LOWEST_ROW, HIGHEST_ROW);
    return layOutTree(nodes, { columnWidth, rowHeight, capacity, columnCapacity, folding });
  }, [nodes, size, rollout, callLimit, folding, longest, measure]);
}

/** A stack that the keyboard went to, until another turn is selected or the stack is gone. */
interface StackVisit {
  readonly parent: NodeId;
  readonly selected: NodeId | null; // at the time
}

function stopAt(layout: TreeLayout, selected: NodeId | null, visit: StackVisit | null): TreeStop {
  if (visit && visit.selected === selected && stackOf(layout, visit.parent))
    return { kind: 'stack', id: visit.parent };
  return { kind: 'node', id: selected !== null && layout.byId.has(selected) ? selected : ROOT };
}

function useDrawn(props: TreeDrawingProps, size: Size, visit: StackVisit | null): DrawnTree {
  const {
    title,
    tree,
    nodes,
    draw,
    lit = null,
    found = null,
    focus = null,
    faded = null,
    about = null,
  } = props;
  const measure = useMeasure(size);
  const layout = useLayout(props, size, measure);
  const selected = useSelection(({ node }) => node);
  const pinned = useSelection((state) => state.pinned);
  const update = useUpdateNumber();
  const isPinnedHere = props.main && pinned?.update === update && pinned?.prompt === tree.prompt.index;
  const second = isPinnedHere && pinned ? pinned.node : null;
  const hovered = useSelection((state) => state.hovered);
  const path = useMemo(() => pathOf(nodes, hovered ?? about ?? selected), [nodes, hovered, about, selected]);
  const remembered = useMemo(() => rememberDrawings(draw), [draw]);
  const write = useMemo(
    () => rememberTexts(layout, nodes, remembered, measure),
    [layout, nodes, remembered, measure],
  );
  const stop = useMemo(() => stopAt(layout, selected, visit), [layout, selected, visit]);
  const { rewards = tree.rewards } = props;
  return { title, layout, nodes, rewards, draw: remembered, write, stop, selected, second, path, lit, found, focus, faded }; // prettier-ignore
}

/** The same actions while a tree grows, so that nodes that stay as they are need not be rendered again. */
function useActions({ tree, nodes, onFold, onPick, main }: TreeDrawingProps): TreeActions {
  const { selection, run } = useLab();
  const { index: prompt } = tree.prompt;
  const latest = useRef({ nodes, onFold });
  useEffect(() => {
    latest.current = { nodes, onFold };
  });
  const foldable = onFold !== undefined;
  return useMemo(() => {
    const pick = (id: NodeId, second: boolean): void => {
      const { pinned } = selection.getState();
      const at = selectedUpdate(run.getState(), selection.getState())?.update ?? 0; // the one asked for may be to come
      if (onPick) onPick(id);
      else if (second && main) {
        const again = pinned?.update === at && pinned.prompt === prompt && pinned.node === id;
        selection.select({ pinned: again ? null : { update: at, prompt, node: id } });
      } else
        selection.select({ node: id, ...(latest.current.nodes[id]?.ending != null ? { leaf: id } : {}) });
    };
    const hover = (hovered: NodeId | null): void => {
      if (selection.getState().hovered !== hovered) selection.select({ hovered });
    };
    const fold = (id: NodeId): void => latest.current.onFold?.(id);
    return { pick, hover, fold: foldable ? fold : null };
  }, [selection, run, prompt, foldable, onPick, main]);
}

/** Where the keyboard stands, and the node a step is about, stay in sight. */
function useFollow({ layout, stop, selected, focus }: DrawnTree, { reveal }: CameraControl): void {
  const target = focus === null ? placeOf(layout, stop) : layout.byId.get(focus);
  const { x, y } = target ?? { x: 0, y: 0 };
  const wanted = focus !== null || selected !== null || stop.kind === 'stack';
  useEffect(() => {
    if (wanted) reveal({ x: x + ORIGIN.x, y: y + ORIGIN.y });
  }, [wanted, x, y, reveal]);
}

function ZoomButtons({ control }: { readonly control: CameraControl }) {
  return (
    <div className="bar" role="group" aria-label="Zoom">
      <button type="button" aria-label="Zoom in" onClick={() => control.zoomBy(ZOOM_STEP)}>
        +
      </button>
      <button type="button" aria-label="Zoom out" onClick={() => control.zoomBy(1 / ZOOM_STEP)}>
        −
      </button>
      <button type="button" aria-label="Show all" onClick={control.whole}>
        all
      </button>
    </div>
  );
}

function SaveTree({
  drawn,
  tree,
  caption,
  of,
}: Pick<TreeDrawingProps, 'tree' | 'caption' | 'of'> & { readonly drawn: DrawnTree }) {
  const own = useUpdateNumber();
  const read = useSentence();
  const { dataset, seed, tokens, answer, index } = tree.prompt;
  const where = [dataset, seed].filter((part) => part !== null && part !== '').join(' ');
  const update = of?.update ?? own;
  const place = `update ${update}, prompt ${index + 1}${where === '' ? '' : ` (${where})`}`;
  const question = `${read(tokens)}${answer ? ` Answer: ${read(answer)}` : ''}`;
  const about = [[place, caption].filter((part) => part).join(', '), ...(of ? [] : [question])]; // another run has words of its own
  return (
    <SaveDrawing
      name={`tree update${update} prompt${index + 1}`}
      about={about}
      {...(of && { of: of.header })}
      sheet={async (colour) => (await import('./tree_sheet.ts')).treeSheet(drawn, colour)}
    />
  );
}

function ZoomKeys({ control }: { readonly control: CameraControl }) {
  useKeys([
    { key: '+', label: 'zoom in', run: () => control.zoomBy(ZOOM_STEP) },
    { key: '-', label: 'zoom out', run: () => control.zoomBy(1 / ZOOM_STEP) },
    { key: '0', label: 'show all of the tree', run: control.whole },
  ]);
  return null;
}

export function TreeDrawing(props: TreeDrawingProps) {
  const { main = false, camera } = props;
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const [visit, setVisit] = useState<StackVisit | null>(null);
  const drawn = useDrawn(props, size, visit);
  const actions = useActions(props);
  const colour = useColours();
  const drawing = drawingBox(drawn.layout);
  const control = useCamera(frame, drawing, size, camera, main);
  useFollow(drawn, control);

  const moved = useRef(false); // by a key: focus follows when the tree is drawn again
  useEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    const current = '.spoken-tree, g[tabindex="0"]'; // a tree that was opened may be on a canvas now
    frame.current?.querySelector<HTMLElement | SVGElement>(current)?.focus({ preventScroll: true });
  });

  const { layout, stop } = drawn;
  const goTo = ({ kind, id }: TreeStop): void => {
    if (kind === 'node') actions.pick(id, false);
    setVisit(kind === 'stack' ? { parent: id, selected: drawn.selected } : null);
  };
  const open = ({ kind, id }: TreeStop): void => {
    const first = kind === 'stack' ? stackOf(layout, id)?.children[0] : id;
    actions.fold?.(id);
    if (first !== undefined) goTo({ kind: 'node', id: first });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target instanceof HTMLButtonElement) return;
    const opening = actions.fold !== null && opens(layout, stop, event.key);
    const next = opening ? stop : neighbour(layout, stop, event.key);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    moved.current = true;
    if (opening) open(stop);
    else goTo(next);
  };
  const onCanvas = layout.nodes.length > SVG_LIMIT;
  return (
    <div className="tree-frame" data-main={main} ref={frame} onKeyDown={onKeyDown}>
      {onCanvas ? (
        <TreeCanvas drawn={drawn} actions={actions} camera={control.camera} size={size} colour={colour} />
      ) : (
        <TreeSvg drawn={drawn} actions={actions} camera={control.camera} />
      )}
      {needsMap(drawing, size) && <Minimap drawn={drawn} control={control} frame={size} colour={colour} />}
      <div className="zoom-buttons">
        {main && <ZoomButtons control={control} />}
        <SaveTree {...props} drawn={drawn} />
      </div>
      {main && <ZoomKeys control={control} />}
    </div>
  );
}
