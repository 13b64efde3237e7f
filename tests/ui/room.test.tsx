/** Everything has room: no words over words, none in a card or a node that is not theirs, none cut in their middle. */
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { cleanup, render } from 'vitest-browser-react';
import { kernelCatalogue } from '../../src/train/inspect/kernels.ts';
import type { Lab } from '../../src/store/lab/lab.ts';
import { VIEWS, type View } from '../../src/store/place/selection.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { overlaps, cutWords } from '../support/overlaps.ts';
import { PROFILE, row } from '../support/sample_profile.ts';
import { liveTree, scriptedLab } from '../support/scripted_lab.ts';

const SIZES = [
  ['a laptop', 1280, 800],
  ['a projector', 1920, 1080],
  ['a phone', 390, 844],
  ['1280 × 800 at 200 %', 640, 400],
] as const;

const root = (): HTMLElement => document.getElementById('root') as HTMLElement; // appended by open

async function open(view: View): Promise<Lab> {
  const lab = await scriptedLab();
  const { update, tree } = liveTree(lab);
  lab.selection.select({ view, update: update.update, prompt: tree.prompt.index });
  const container = Object.assign(document.createElement('div'), { id: 'root' });
  document.body.append(container);
  await render(<App lab={lab} />, { container });
  await expect.element(page.getByRole('main')).toBeVisible();
  return lab;
}

/** Frames and charts fit themselves after a frame; what is below the window is looked at as well. */
async function expectRoom(): Promise<void> {
  const settled = (): Promise<unknown> =>
    new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const scrollers = [document.documentElement, ...root().querySelectorAll('main, .view')];
  for (const share of [0, 0.5, 1]) {
    scrollers.forEach((element) => element.scrollTo(0, share * element.scrollHeight));
    await settled();
    expect(overlaps(root())).toEqual([]);
    expect(cutWords(root())).toEqual([]);
  }
}

afterEach(async () => {
  await cleanup();
  document.getElementById('root')?.remove();
});
afterAll(() => page.viewport(1280, 800));

describe.each(SIZES)('on %s', (_, width, height) => {
  test.each(VIEWS)('in %s everything has room', async (view) => {
    await page.viewport(width, height);
    await open(view);
    await expectRoom();
  });

  test('in Credit everything has room with numbers, arrows and a reward that was set', async () => {
    await page.viewport(width, height);
    const lab = await open('credit');
    const { tree } = liveTree(lab);
    lab.selection.select({ creditFrame: 1e6, whatIf: [{ leaf: tree.leaves[0], reward: 0.3 }] });
    await expect.poll(() => root().querySelector('.changes')).not.toBeNull();
    await expectRoom();
  });

  test.each(['value', 'advantage'] as const)('in Tree everything has room by %s', async (colour) => {
    await page.viewport(width, height);
    const lab = await open('tree');
    lab.selection.select({ colour });
    await expectRoom();
  });

  test('in Profile everything has room after a profiled update, with the kernels open', async () => {
    await page.viewport(width, height);
    const lab = await open('profile');
    const kernels = kernelCatalogue();
    const rows = kernels.map(({ name }, index) => row('forward', name, name, [10, 200 - index, 4e8, 2e7]));
    const memory = Array.from({ length: 9 }, (_, index) => ({
      ...{ owner: `decode activations ${index + 1}`, buffers: 60, bytes: 40_000_000 },
    }));
    lab.inspection.setState({ profiles: [{ ...PROFILE, rows, memory }] });
    await expect.element(page.getByText('Kernels: the WGSL that runs')).toBeInTheDocument();
    (page.getByText('Kernels: the WGSL that runs').element() as HTMLElement).click(); // wherever the page stands
    lab.inspection.setState({ kernels });
    await expect.poll(() => root().querySelector('.kernel-bindings')).not.toBeNull();
    await expectRoom();
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
  });
});
