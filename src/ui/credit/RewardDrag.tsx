/**
 * Drags a leaf's reward on the tree itself: up for more, down for less; Shift and ↑ or ↓ on the focused leaf do the
 * same. It listens round the drawing, before the drawing's own pan and keys.
 */
import { useRef, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react';
import type { Recredit } from '../../store/credit.ts';
import type { TreeState } from '../../store/run_state.ts';
import { withReward } from '../../store/selection.ts';
import { nodeId, type NodeId } from '../../units.ts';
import { useLab } from '../binding.ts';
import { draggedReward, steppedReward } from './reward_drag.ts';

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
  readonly onHold: (leaf: NodeId | null) => void; // the leaf under a drag, which says its reward
  readonly children: ReactNode;
}

export function RewardDrag({ state, shown, onHold, children }: RewardDragProps) {
  const { selection } = useLab();
  const drag = useRef<Drag | null>(null);
  const leafAt = (target: EventTarget): NodeId | null => {
    const text = target instanceof Element && target.closest('[data-node]')?.getAttribute('data-node');
    const id = text ? nodeId(Number(text)) : null;
    return id !== null && state.leaves.includes(id) ? id : null;
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
    set(current.leaf, draggedReward(current.from, up));
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
    set(leaf, steppedReward(shown.rewards[leaf] ?? 0, event.key === 'ArrowUp' ? 1 : -1));
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
