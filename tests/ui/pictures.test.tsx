/**
 * Reference pictures of every view on a laptop, a projector and a phone, with the scripted run. To renew one: delete its
 * file in tests/ui/pictures, run this test (it writes the picture and fails), look at it, run again.
 */
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { VIEWS, type View } from '../../src/store/place/selection.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { applyTheme } from '../../src/ui/shell/theme.ts';
import { MAY_CHANGE, changedRegions, keep, keptInk, shown } from '../support/pictures.ts';
import { PROFILE } from '../support/sample_profile.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';
import { still } from '../support/still.ts';

const SIZES = [
  ['laptop', 1280, 800],
  ['projector', 1920, 1080],
  ['phone', 390, 844],
] as const;

async function open(view: View, width: number, height: number): Promise<void> {
  await page.viewport(width, height);
  const lab = await scriptedLab();
  const { update, tree } = liveTree(lab);
  lab.selection.select({ view, update: update.update, prompt: tree.prompt.index });
  if (view === 'profile') lab.inspection.setState({ profiles: [PROFILE] });
  localStorage.setItem('turnwise-theme', 'light');
  const container = document.body.appendChild(Object.assign(document.createElement('div'), { id: 'root' }));
  await render(<App lab={lab} />, { container });
  applyTheme('light');
  await expect.element(page.getByRole('main')).toBeVisible();
  await still();
}

afterEach(async () => {
  await cleanup();
  document.getElementById('root')?.remove();
});
afterAll(async () => {
  localStorage.removeItem('turnwise-theme');
  await page.viewport(1280, 800);
});

describe.each(SIZES)('on a %s of %i × %i', (name, width, height) => {
  test.each(VIEWS)('%s looks as it was kept', async (view) => {
    await open(view, width, height);
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    if (width === 1280) expect(document.querySelector<HTMLElement>('.header')!.offsetHeight).toBeLessThan(50); // one row
    const path = `tests/ui/pictures/${view}-${name}.png`;
    const reference = await keptInk(path);
    if (!reference) {
      await keep(path, (await shown()).base64);
      throw new Error(`there was no ${path}: it is written now; look at it and run again`);
    }
    const changed = async (): Promise<number> => changedRegions((await shown()).ink, reference);
    await expect.poll(changed, { interval: 300 }).toBeLessThanOrEqual(MAY_CHANGE); // canvases reach a busy screen late
  });
});

describe('a kept picture stands for the panels, not for the letters', () => {
  const changedBy = async (css: string): Promise<number> => {
    await open('train', 1280, 800);
    const { ink: before } = await shown();
    const style = document.head.appendChild(
      Object.assign(document.createElement('style'), { textContent: css }),
    );
    try {
      return changedRegions((await shown()).ink, before);
    } finally {
      style.remove();
    }
  };

  test.each(['"DejaVu Serif", Georgia, serif', 'Arial, "Liberation Sans", sans-serif', 'monospace'])(
    'in %s it is the same',
    async (font) => {
      expect(await changedBy(`#root, #root * { font-family: ${font} }`)).toBeLessThanOrEqual(MAY_CHANGE);
    },
  );

  test.each(['.batch', '.curves', '.config', '.answer'])('without %s it is another', async (panel) => {
    expect(await changedBy(`${panel} { visibility: hidden }`)).toBeGreaterThan(MAY_CHANGE);
  });
});
