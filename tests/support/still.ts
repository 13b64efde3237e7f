/**
 * Waits until all is fetched, and what is looked at stays for some frames and nothing moves: sizes are measured, and labels and charts fitted to
 * them, when the page has been laid out.
 */
import { expect } from 'vitest';

const FRAMES = 4;

/** @returns what is on screen then */
export async function still(look: () => string = () => document.body.innerHTML): Promise<string> {
  let [last, frames] = ['', 0];
  await expect
    .poll(async () => {
      await new Promise(requestAnimationFrame);
      const now = look();
      const moves = document.getAnimations().some(({ playState }) => playState === 'running');
      const isFetched = !document.body.textContent.includes(' is loading …'); // parts/Boundary.tsx
      frames = now === last && !moves && isFetched ? frames + 1 : 0;
      last = now;
      return frames;
    })
    .toBeGreaterThanOrEqual(FRAMES);
  return last;
}
