import { afterEach, expect, test, vi } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { createLab } from '../../src/store/lab/lab.ts';
import type { RunEvent } from '../../src/protocol/protocol.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { hiddenRate } from '../../src/ui/shell/Notices.tsx';
import { METRICS, START, updateEvents } from '../support/sample_log.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  await cleanup();
});

/** An update whose rollout and training take `seconds`. */
const timed = (update: number, seconds: number): RunEvent[] =>
  updateEvents(update).map((event) =>
    event.kind === 'metrics'
      ? { ...event, metrics: { ...METRICS, rolloutMs: 400 * seconds, trainMs: 600 * seconds } }
      : event,
  );

function show(state: DocumentVisibilityState): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
  document.dispatchEvent(new Event('visibilitychange'));
}

/** Shows the page and lets the time pass that the comparison waits for what came meanwhile; then the page is drawn. */
async function showAndCompare(): Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  show('visible');
  vi.advanceTimersByTime(1000);
  vi.useRealTimers();
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
}

async function liveLab() {
  const lab = createLab(() => undefined);
  const screen = await render(<App lab={lab} />);
  lab.transport.setState({ source: 'live' });
  lab.run.apply([START, ...[1, 2, 3].flatMap((update) => timed(update, 2))]);
  return { lab, screen };
}

test('says by how much training was slower while the page was hidden', async () => {
  const { lab, screen } = await liveLab();
  show('hidden');
  lab.run.apply([timed(4, 3), timed(5, 8), timed(6, 8)].flat()); // the fourth was under way
  await showAndCompare();
  expect(screen.container.textContent).toContain(
    '2 updates took 8.0 s each instead of 2.0 s: the rate dropped by 75 %',
  ); // so saying nothing below is not for want of time
  await screen.getByRole('button', { name: 'Dismiss' }).click();
  expect(screen.container.textContent).not.toContain('slowed training');
});

test('says nothing when the pace held, and nothing of a recorded run', async () => {
  const { lab, screen } = await liveLab();
  show('hidden');
  lab.run.apply([timed(4, 2), timed(5, 2.1)].flat());
  await showAndCompare();
  expect(screen.container.textContent).not.toContain('slowed training');
  lab.transport.setState({ source: 'recorded' });
  show('hidden');
  lab.run.apply([timed(6, 9), timed(7, 9)].flat());
  await showAndCompare();
  expect(screen.container.textContent).not.toContain('slowed training');
});

test('nothing is compared without updates on both sides', () => {
  expect(hiddenRate([], 0, 0)).toBeNull();
});
