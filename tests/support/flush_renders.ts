/**
 * React as it is shipped has no `act`: here what a test renders is on the page when `render` returns, its effects done,
 * and what is fitted to measured sizes too: sizes are measured at the end of a frame.
 */
import React from 'react';
import { flushSync } from 'react-dom';

async function act(work: () => void): Promise<void> {
  flushSync(work);
  await new Promise(requestAnimationFrame);
  await new Promise((resolve) => setTimeout(resolve));
}
Object.assign(React, { act });
