import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { foldEvents } from '../../src/store/record/fold.ts';
import { createLab, type Lab } from '../../src/store/lab/lab.ts';
import { EMPTY_RUN, type RunState } from '../../src/store/record/run_state.ts';
import { VIEWS } from '../../src/store/place/selection.ts';
import { createRunStore } from '../../src/store/record/run.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { codeEditor } from '../../src/ui/kernels/KernelEditor.tsx';
import { VIEW_PANELS } from '../../src/ui/shell/views.tsx';
import { kernelCatalogue } from '../../src/train/inspect/kernels.ts';
import type { EngineEvent } from '../../src/protocol/protocol.ts';
import { seriousFindings } from '../support/axe.ts';
import { scriptedLog } from '../support/scripted_lab.ts';

let lab: Lab;
let log: readonly EngineEvent[];

beforeEach(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined); // React tells of each error that a boundary caught
  log = (await scriptedLog()).filter(({ kind }) => kind !== 'ready');
  lab = createLab(() => undefined);
  lab.run.apply(log);
});
afterEach(async () => {
  await cleanup();
  vi.restoreAllMocks();
});

/** A run with a hole where update 2 should be, as no guard lets in: the views count on there being none. */
function brokenRun(): RunState {
  return foldEvents(
    EMPTY_RUN,
    log.map((event) => ('update' in event && event.update === 2 ? { ...event, update: 3 } : event)),
  );
}

test('an error in the comparison leaves the page and the run, and closing the compared run ends it', async () => {
  lab.shelf.setState({
    runs: [
      {
        id: 1,
        title: 'a broken run',
        origin: 'file',
        file: null,
        run: brokenRun(),
        record: createRunStore(),
      },
    ],
  });
  lab.selection.select({ view: 'compare', compared: 'runs' });
  const screen = await render(<App lab={lab} />);
  const alert = screen.getByRole('alert');
  await expect.element(alert).toHaveTextContent('The comparison cannot be shown');
  await expect.element(screen.getByRole('button', { name: 'Keep the run on screen' })).toBeVisible();
  expect(await seriousFindings(screen.container)).toEqual([]);
  lab.run.apply([{ kind: 'status', status: 'paused', update: 2, phase: 'step' }]); // the run goes on
  expect(lab.run.getState().status).toBe('paused');
  await screen.getByRole('button', { name: 'Close the compared run' }).click();
  await expect.element(alert).not.toBeInTheDocument();
  await screen.getByRole('button', { name: 'Keep the run on screen' }).click();
  await expect.element(screen.getByText('Nothing came out differently')).toBeVisible();
});

test.each(VIEWS)('an error in the view %s leaves the others', async (view) => {
  const { component } = VIEW_PANELS[view];
  const panels = VIEW_PANELS as Record<string, { title: string; component: typeof component }>;
  const { title } = panels[view];
  let fails = true;
  panels[view].component = function Failing() {
    if (fails) throw new Error('the words of the error');
    return <p>shown again</p>;
  };
  try {
    lab.selection.select({ view });
    const screen = await render(<App lab={lab} />);
    const alert = screen.getByRole('alert');
    await expect.element(alert).toHaveTextContent(`The ${title} view cannot be shown`);
    await expect.element(alert).toHaveTextContent('the words of the error');
    fails = false;
    await screen.getByRole('button', { name: 'Try again' }).click();
    await expect.element(screen.getByText('shown again')).toBeVisible();
    await cleanup();
    fails = true;
    const again = await render(<App lab={lab} />);
    const other = view === 'train' ? 'Tree' : 'Train';
    await again.getByRole('button', { name: `Show the ${other} view` }).click();
    await expect.element(again.getByRole('main', { name: other })).toBeVisible();
    await expect.element(again.getByRole('alert')).not.toBeInTheDocument();
  } finally {
    panels[view].component = component;
  }
});

test('an editor whose file does not come says so, the rest stays, and trying again loads it', async () => {
  const load = vi
    .spyOn(codeEditor, 'load')
    .mockRejectedValueOnce(new TypeError('Failed to fetch dynamically imported module: CodeEditor.js'));
  lab.transport.setState({ engine: { kind: 'ready' } });
  lab.inspection.setState({ kernels: kernelCatalogue() });
  lab.selection.select({ view: 'profile' });
  const screen = await render(<App lab={lab} />);
  await expect.element(screen.getByText('Kernels: the WGSL that runs')).toBeInTheDocument();
  (screen.getByText('Kernels: the WGSL that runs').element() as HTMLElement).click();
  await screen.getByRole('button', { name: 'Edit this kernel' }).click();
  const alert = screen.getByRole('alert');
  await expect.element(alert).toHaveTextContent('The editor could not be loaded');
  await expect.element(alert).toHaveTextContent('Failed to fetch dynamically imported module: CodeEditor.js');
  await expect.element(screen.getByRole('button', { name: 'Reload the page' })).toBeVisible();
  await expect.element(screen.getByRole('heading', { name: 'policy_loss' })).toBeVisible();
  expect(load).toHaveBeenCalledTimes(1);
  await screen.getByRole('button', { name: 'Try again' }).click();
  await expect.element(screen.getByLabelText('WGSL of policy_loss, to edit')).toBeVisible();
  await expect.element(alert).not.toBeInTheDocument();
});
