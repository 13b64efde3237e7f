/** A leaf's reward under a drag or a key, as a what-if. Pure arithmetic; the gestures are RewardDrag.tsx. */

const PX_PER_UNIT = 60; // of a vertical drag
const DRAG_STEP = 0.1;
const KEY_STEP = 0.5;
const [LEAST, MOST] = [-1, 1];

const within = (reward: number): number => Math.min(MOST, Math.max(LEAST, reward));
/** To the nearest step, without the dust of a product. */
const snapped = (reward: number): number => Number((Math.round(reward / DRAG_STEP) * DRAG_STEP).toFixed(1));

/** @param upPx how far up the pointer has come since the drag began */
export const draggedReward = (start: number, upPx: number): number =>
  within(snapped(start + upPx / PX_PER_UNIT));

/** One press of a key: to the next half. @param direction 1 up, −1 down */
export const steppedReward = (reward: number, direction: 1 | -1): number => {
  const halves = reward / KEY_STEP;
  const next = direction === 1 ? Math.floor(halves + 1e-9) + 1 : Math.ceil(halves - 1e-9) - 1;
  return within(next * KEY_STEP);
};
