import { afterEach, expect, test } from 'vitest';
import { cleanup, render } from 'vitest-browser-react';
import { condense } from '../../src/store/record/fold.ts';
import { App } from '../../src/ui/shell/App.tsx';
import { scriptedLab } from '../support/scripted_lab.ts';

afterEach(() => cleanup());

test('an update whose trees are not at hand says whether they come back', async () => {
  const lab = await scriptedLab('#v1&view=tree&update=1');
  const screen = await render(<App lab={lab} />);
  expect(screen.container.textContent).not.toContain('Update 1 is compressed');
  const { updates } = lab.run.getState();
  lab.run.setState({ updates: updates.with(0, condense(updates[0], 'archived')) });
  await expect
    .poll(() => screen.container.textContent)
    .toContain('Update 1 is compressed; it is being read back.');
  lab.run.setState({ updates: updates.with(0, condense(updates[0], 'lost')) });
  await expect
    .poll(() => screen.container.textContent)
    .toContain('Trees and loss rows of update 1 are no longer kept');
  lab.selection.select({ update: 2 });
  await expect.poll(() => screen.container.textContent).not.toContain('no longer kept');
});
