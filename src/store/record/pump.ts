/**
 * Feeds events to a store in small helpings, so that the page's main thread stays free: a frame
 * takes as many as fit its budget, the rest wait for the next.
 */
import type { PageEvent } from '../../protocol/protocol.ts';

const HELPING = 48;
const TRIMMED_AT = 4096; // events handed on but still in the queue's array

export interface Pump {
  readonly add: (events: readonly PageEvent[]) => void;
  /** Hands on what fits the budget; call it once a frame. */
  readonly tick: () => void;
  /** Hands on all that waits: nobody sees a hidden page stall, and its timers may come once a minute. */
  readonly drain: () => void;
  readonly waiting: () => number;
}

/**
 * @param budgetMs time per frame; at least one helping is always handed on
 * @param now clock in ms
 */
export function createPump(
  handOn: (events: readonly PageEvent[]) => void,
  budgetMs = 8,
  now: () => number = () => performance.now(),
): Pump {
  let queue: PageEvent[] = [];
  let start = 0;
  const trim = (): void => {
    if (start < queue.length && start < TRIMMED_AT) return;
    queue = queue.slice(start);
    start = 0;
  };
  return {
    add(events) {
      for (const event of events) queue.push(event);
    },
    tick() {
      const end = now() + budgetMs;
      while (start < queue.length) {
        const helping = queue.slice(start, start + HELPING);
        start += HELPING; // before they are handed on: what fails once is not tried in every frame
        handOn(helping);
        if (now() >= end) break;
      }
      trim();
    },
    drain() {
      const rest = queue.slice(start);
      start = queue.length;
      trim();
      if (rest.length > 0) handOn(rest);
    },
    waiting: () => Math.max(0, queue.length - start),
  };
}
