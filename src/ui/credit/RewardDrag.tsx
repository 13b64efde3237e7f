/**
 * Drags a leaf's reward on the tree itself: up for more, down for less; Shift and ↑ or ↓ on the focused leaf do the
 * same. It listens round the drawing, before the drawing's own pan and keys.
 */
import { useMemo, useRef, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import type { Recredit } from '../../store/credit/credit.ts';
import { withReward } from '../../store/place/selection.ts';
import type { TreeState } from '../../store/record/run_state.ts';
import { nodeId, type NodeId, type NodeTable } from '../../units.ts';
import { useIsHidden, useLab } from '../parts/binding.ts';

// A leaf's reward under a drag or a key, as a what-if. Pure arithmetic; the gestures are RewardDrag.tsx.

const PX_PER_UNIT = 60; // of a vertical drag
const DRAG_STEP = 0.1; // units
const KEY_STEP = 0.5; // units

/** Rewards that can be asked for. A unit is a power of ten: 1 for rewards between −1 and 1, as ours are. */
export interface RewardScale {
  readonly least: number;
  readonly most: number;
  readonly unit: number;
}
const OURS: RewardScale = { least: -1, most: 1, unit: 1 };

/** Wide enough for all rewards of a tree: files of others have theirs. */
export function rewardScale(rewards: readonly (number | null)[]): RewardScale {
  const known = rewards.filter((reward) => reward !== null);
  const reach = Math.max(1, ...known.map(Math.abs));
  const unit = 10 ** Math.floor(Math.log10(reach));
  const least = Math.min(OURS.least, ...known.map((reward) => Math.floor(reward / unit) * unit));
  return { least, most: Math.max(OURS.most, ...known.map((reward) => Math.ceil(reward / unit) * unit)), unit }; // prettier-ignore
}

const within = (reward: number, { least, most }: RewardScale): number =>
  Math.min(most, Math.max(least, reward));
/** To the nearest step, without the dust of a product. */
const snapped = (reward: number, { unit }: RewardScale): number =>
  Number((Math.round(reward / (DRAG_STEP * unit)) * DRAG_STEP * unit).toFixed(1));

/** @param upPx how far up the pointer has come since the drag began */
export const draggedReward = (start: number, upPx: number, scale = OURS): number =>
  within(snapped(start + (upPx * scale.unit) / PX_PER_UNIT, scale), scale);

/** One press of a key: to the next half of a unit. @param direction 1 up, −1 down */
export const steppedReward = (reward: number, direction: 1 | -1, scale = OURS): number => {
  const step = KEY_STEP * scale.unit;
  const halves = reward / step;
  const next = direction === 1 ? Math.floor(halves + 1e-9) + 1 : Math.ceil(halves - 1e-9) - 1;
  return within(next * step, scale);
};

const DRAG_START = 4; // px; less is a click

interface Drag {
  readonly leaf: NodeId;
  readonly from: number; // reward
  readonly y: number; // px
  readonly moved: boolean;
}

interface RewardDragProps {
  readonly state: TreeState;
  readonly shown: Recredit;
  readonly hidden: NodeTable<number | null> | null; // leaves without a reward here have one that is not to be seen
  readonly onHold: (leaf: NodeId | null) => void; // the leaf under a drag, which says its reward
  readonly children: ReactNode;
}

export function RewardDrag({ state, shown, hidden, onHold, children }: RewardDragProps) {
  const { selection } = useLab();
  const isHidden = useIsHidden('rewards');
  const drag = useRef<Drag | null>(null);
  const scale = useMemo(() => rewardScale(state.rewards ?? []), [state.rewards]);
  const leafAt = (target: EventTarget): NodeId | null => {
    const text = target instanceof Element && target.closest('[data-node]')?.getAttribute('data-node');
    const id = text ? nodeId(Number(text)) : null;
    return id !== null && !isHidden && state.leaves.includes(id) && hidden?.[id] !== null ? id : null;
  };
  const set = (leaf: NodeId, reward: number): void => {
    const { whatIf } = selection.getState();
    const paid = state.rewards?.[leaf] ?? null;
    const next = withReward(whatIf, leaf, reward === paid ? null : reward);
    if (JSON.stringify(next) !== JSON.stringify(whatIf)) selection.select({ whatIf: next });
  };
  const press = (event: PointerEvent<HTMLDivElement>): void => {
    const leaf = leafAt(event.target);
    if (leaf === null || event.button !== 0) return;
    event.stopPropagation(); // or the drawing would pan
    drag.current = { leaf, from: shown.rewards[leaf] ?? 0, y: event.clientY, moved: false };
  };
  const move = (event: PointerEvent<HTMLDivElement>): void => {
    const { current } = drag;
    if (!current) return;
    const up = current.y - event.clientY;
    if (!current.moved && Math.abs(up) < DRAG_START) return;
    if (!current.moved) {
      event.currentTarget.setPointerCapture(event.pointerId);
      onHold(current.leaf);
    }
    event.stopPropagation();
    drag.current = { ...current, moved: true };
    set(current.leaf, draggedReward(current.from, up, scale));
  };
  const release = (): void => {
    drag.current = null;
    onHold(null);
  };
  const onKey = (event: KeyboardEvent<HTMLDivElement>): void => {
    const leaf = leafAt(event.target);
    if (leaf === null || !event.shiftKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    event.stopPropagation();
    set(leaf, steppedReward(shown.rewards[leaf] ?? 0, event.key === 'ArrowUp' ? 1 : -1, scale));
  };
  return (
    <div
      className="reward-drag"
      onPointerDownCapture={press}
      onPointerMoveCapture={move}
      onPointerUpCapture={release}
      onPointerCancelCapture={release}
      onKeyDownCapture={onKey}
    >
      {children}
    </div>
  );
}
